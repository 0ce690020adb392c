internal import Support

/// The characters of text files, one file after the other.
public struct CharacterText: Sendable, Equatable {
  /// Unicode scalars; a slice, so that parts of a text share its memory.
  public private(set) var scalars: ArraySlice<Unicode.Scalar>

  /// Some characters.
  public init(_ scalars: ArraySlice<Unicode.Scalar>) { self.scalars = scalars }

  /// The largest file that is read: 4 bytes a character are kept of it.
  static let largestFile = 1 << 32

  /// Reads UTF-8; a byte order mark at the beginning is no character. Everything else stays, ends of lines as they are.
  /// - Throws: `LanguageModelError` naming the first byte that is no UTF-8.
  public init(contentsOf paths: [String]) throws(LanguageModelError) {
    scalars = []
    for path in paths { try read(path) }
  }

  private mutating func read(_ path: String) throws(LanguageModelError) {
    let file: FileContents
    do { file = try FileContents(path: path, limit: Self.largestFile) } catch { throw .file(error) }
    let mark = file.bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    let count = scalars.count
    scalars.reserveCapacity(count + file.bytes.count - mark)
    var place = mark
    while place < file.bytes.count {
      let first = file.bytes[place]
      if first < 0x80 {
        scalars.append(Unicode.Scalar(first))
        place += 1
        continue
      }
      var parser = Unicode.UTF8.ForwardParser()
      var bytes = file.bytes[place..<min(place + 4, file.bytes.count)].makeIterator()
      guard case .valid(let encoded) = parser.parseScalar(from: &bytes) else {
        let kind = FileKind.name(ofFileThatBegins: file.bytes.prefix(512))
        throw .text(
          path: path, location: "byte \(place)", expected: "UTF-8 text",
          found: kind.flatMap { $0 == "a text file" ? nil : $0 } ?? "a byte that is none")
      }
      scalars.append(Unicode.UTF8.decode(encoded))
      place += encoded.count
    }
    withExtendedLifetime(file) {}
    guard scalars.count > count else {
      throw .text(path: path, location: "the file", expected: "a text", found: "an empty file")
    }
  }
}
