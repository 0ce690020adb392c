internal import Support
public import Tensors
public import WeightFiles

/// What can be wrong with a model or weights file.
public enum ModelError: Error, Equatable, CustomStringConvertible {
  /// The file as such can't be read or written, or lacks a tensor, or holds one of another shape.
  case weights(SafetensorsError)
  /// A file of another program can't be read.
  case foreign(WeightFileError)
  /// The file's description of itself, or what follows from its tensors, is not one we can run.
  case unsupported(path: String, expected: String, found: String)
  /// A weight or a result is not a number.
  case notFinite(path: String, what: String)

  /// One line that names the file; what it quotes of it is printable.
  public var description: String {
    switch self {
    case .weights(let error): "\(error)"
    case .foreign(let error): "\(error)"
    case .unsupported(let path, let expected, let found):
      "\(path): " + "expected \(expected), found \(found)".printable()
    case .notFinite(let path, let what):
      "\(path): " + "\(what) is not finite; the weights are damaged".printable()
    }
  }
}
