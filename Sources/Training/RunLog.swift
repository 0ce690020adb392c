internal import Foundation
internal import Glibc
internal import Support

/// `log.jsonl`: one JSON object a line, appended as the run goes, cut back to the checkpoint on resume.
final class RunLog {
  private let path: String
  private let descriptor: Int32
  private let encoder: JSONEncoder

  /// Bytes written so far; a checkpoint notes it.
  private(set) var length: Int

  /// Opens the log and cuts it to its first `length` bytes: what came after them is about to be done again.
  init(path: String, length: Int) throws(FileError) {
    self.path = path
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw FileError(path: path, action: "write", errno: errno) }
    let found = lseek(descriptor, 0, SEEK_END)
    guard found >= length else {
      close(descriptor)
      throw FileError(
        path: path, action: "resume", reason: "expected at least \(length) bytes, found \(found)")
    }
    guard ftruncate(descriptor, length) == 0, lseek(descriptor, length, SEEK_SET) == length else {
      let code = errno
      close(descriptor)
      throw FileError(path: path, action: "write", errno: code)
    }
    self.length = length
    encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
  }

  deinit { close(descriptor) }

  /// Appends one line.
  func append(_ line: some Encodable) throws {
    var data = try encoder.encode(line)
    data.append(UInt8(ascii: "\n"))
    let bytes = [UInt8](data)
    var done = 0
    while done < bytes.count {
      // A disk that fills up takes a part first.
      let written = bytes.withUnsafeBytes {
        Glibc.write(descriptor, $0.baseAddress! + done, bytes.count - done)
      }
      if written < 0 && errno == EINTR { continue }
      guard written > 0 else { throw FileError(path: path, action: "write", errno: errno) }
      done += written
    }
    length += bytes.count
  }
}
