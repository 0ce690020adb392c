public import Support

/// What can be wrong with a file of another program.
public enum WeightFileError: Error, Equatable, CustomStringConvertible {
  /// The file can't be read.
  case file(FileError)
  /// Its bytes are not what they should be.
  /// - Parameter place: where: `byte 12`, or a path in the file, `layers/conv1/kernel`.
  case malformed(path: String, place: String, expected: String, found: String)
  /// It asks for something that is not done here, such as a pickle that would run a program.
  case refused(path: String, place: String, reason: String)

  /// One line that names file and place; what it quotes of the file is printable.
  public var description: String {
    switch self {
    case .file(let error): "\(error)"
    case .malformed(let path, let place, let expected, let found):
      "\(path): " + "\(place): expected \(expected), found \(found)".printable()
    case .refused(let path, let place, let reason): "\(path): " + "\(place): \(reason)".printable()
    }
  }

  /// The same with the kind of file that it was read as.
  func within(_ format: WeightFormat) -> WeightFileError {
    let file = "\(format.title) file, "
    switch self {
    case .file: return self
    case .malformed(let path, let place, let expected, let found):
      return .malformed(path: path, place: file + place, expected: expected, found: found)
    case .refused(let path, let place, let reason):
      return .refused(path: path, place: file + place, reason: reason)
    }
  }
}
