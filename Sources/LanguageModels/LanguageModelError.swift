public import Support

/// What can be wrong with a text or with what is asked of a language model; each case names its file, and where in it.
public enum LanguageModelError: Error, Equatable, CustomStringConvertible {
  /// A file can't be read.
  case file(FileError)
  /// A text is not what it has to be.
  case text(path: String, location: String, expected: String, found: String)
  /// Text that was given has a character that the model does not know.
  case unknown(String)

  /// One line for people.
  public var description: String {
    switch self {
    case .file(let error): "\(error)"
    case .text(let path, let location, let expected, let found):
      "\(path): \(location): expected \(expected), found \(found)"
    case .unknown(let character):
      "expected characters that the model knows, found \(character.debugDescription)"
    }
  }
}
