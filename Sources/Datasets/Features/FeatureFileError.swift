public import Support

/// What can be wrong with a file of features that another program's encoder made.
public enum FeatureFileError: Error, Equatable, CustomStringConvertible {
  /// It can't be read.
  case file(FileError)
  /// It is of a known kind, and damaged; the line names it.
  case damaged(String)
  /// What it holds is not what it should be; `place` is where, `metadata names[3]` say.
  case unexpected(path: String, place: String, expected: String, found: String)
  /// Images that it has no features of: how many of how many, and the first.
  case lacking(path: String, count: Int, of: Int, first: String)
  /// An image that several of its names may mean.
  case ambiguous(path: String, image: String)
  /// Two images that one of its names would have to mean.
  case shared(path: String, name: String, images: [String])

  /// One line that names the file.
  public var description: String {
    switch self {
    case .file(let error): "\(error)"
    case .damaged(let line): line
    case .unexpected(let path, let place, let expected, let found):
      "\(path): \(place): expected \(expected), found \(found)"
    case .lacking(let path, 1, 1, let first): "\(path): expected features of \(first), found none"
    case .lacking(let path, let count, let all, let first):
      "\(path): expected features of \(all) images, found none of \(count) of them, the first \(first): add them, or "
        + "leave the images out with --skip"
    case .ambiguous(let path, let image):
      "\(path): expected one name that means \(image), found several: names need as many folders as the images' files"
    case .shared(let path, let name, let images):
      "\(path): expected a name for each image, found \(name) for "
        + images.joined(separator: " and ") + ": names need as many folders as the images' files"
    }
  }
}
