internal import Glibc

/// An operation of the file system that failed; `description` names the file and the reason.
public struct FileError: Error, Equatable, CustomStringConvertible {
  /// The file.
  public let path: String
  /// What was tried: `open`, `read`, `write`, …
  public let action: String
  /// Why it failed, in the system's words.
  public let reason: String

  /// An error with a reason of our own.
  public init(path: String, action: String, reason: String) {
    self.path = path
    self.action = action
    self.reason = reason
  }

  /// An error the system reported.
  public init(path: String, action: String, errno code: Int32) {
    self.init(path: path, action: action, reason: String(cString: strerror(code)))
  }

  /// For instance `a.jpg: can't open: No such file or directory`.
  public var description: String { "\(path): can't \(action): \(reason)" }
}
