/// Why there is no picture: one line for people, beginning with the path.
public enum ImageError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The file or folder can't be opened or read; `reason` is the system's.
  case unreadable(path: String, reason: String)
  /// The file has no bytes.
  case empty(path: String)
  /// Of no format that is read, whatever its name says; `found` is what it looks like.
  case unrecognised(path: String, found: String)
  /// Of a format whose library was not there when the package was built; `package` is Debian's name for it.
  case notBuiltIn(path: String, format: String, package: String)
  /// A valid image of a kind that is not read, such as a 12-bit JPEG.
  case unsupported(path: String, expected: String, found: String)
  /// Rows are missing, though `rows` of all are there.
  case cutShort(path: String, format: String, rows: Int, of: Int)
  /// Damaged.
  case corrupt(path: String, expected: String, found: String)
  /// More pixels or bytes than are ever decoded; nothing was allocated for them.
  case tooLarge(path: String, expected: String, found: String)

  /// The file or folder concerned.
  public var path: String {
    switch self {
    case .unreadable(let path, _), .empty(let path), .unrecognised(let path, _): path
    case .unsupported(let path, _, _), .corrupt(let path, _, _), .tooLarge(let path, _, _): path
    case .cutShort(let path, _, _, _), .notBuiltIn(let path, _, _): path
    }
  }

  /// For instance `a.jpg: expected a whole JPEG image, found: Premature end of JPEG file`.
  public var description: String {
    switch self {
    case .unreadable(let path, let reason): "\(path): can't read: \(reason)"
    case .empty(let path): "\(path): expected a \(ImageCodecs.names) image, found an empty file"
    case .unrecognised(let path, let found): "\(path): expected a \(ImageCodecs.names) image, found \(found)"
    case .notBuiltIn(let path, let format, let package):
      "\(path): expected a \(ImageCodecs.names) image, found \(format), which this build does not read: "
        + "apt-get install \(package), swift package purge-cache, and build again"
    case .cutShort(let path, let format, let rows, let all):
      "\(path): expected a whole \(format) image, found one that is cut short"
        + (rows > 0 ? ": \(rows) of \(all) rows (\(rows * 100 / max(1, all)) %) are there" : "")
        + "; --lenient takes what is there"
    case .unsupported(let path, let expected, let found), .corrupt(let path, let expected, let found),
      .tooLarge(let path, let expected, let found):
      "\(path): expected \(expected), found: \(found)"
    }
  }
}
