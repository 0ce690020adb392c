internal import Glibc

/// An operation of the file system that failed; `description` names the file and the reason.
public struct FileError: Error, Equatable, CustomStringConvertible {
  /// The file.
  public let path: String
  /// What was tried: `open`, `read`, `write`, …
  public let action: String
  /// Why it failed, in the system's words.
  public let reason: String
  /// The system's number for it (`errno`); nil where the reason is our own.
  public let code: Int32?

  /// An error with a reason of our own.
  public init(path: String, action: String, reason: String) {
    self.path = path
    self.action = action
    self.reason = reason
    code = nil
  }

  /// An error the system reported.
  public init(path: String, action: String, errno code: Int32) {
    self.path = path
    self.action = action
    reason = String(cString: strerror(code))
    self.code = code
  }

  /// Errors are the same that say the same.
  public static func == (one: Self, other: Self) -> Bool { one.description == other.description }

  /// For instance `a.jpg: can't open: No such file or directory`.
  public var description: String { "\(path): can't \(action): \(reason)" }
}
