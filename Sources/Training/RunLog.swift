internal import Glibc
package import Support

/// `log.jsonl`: one JSON object a line, appended as the run goes, cut back to the checkpoint on resume.
package final class RunLog {
  private let path: String
  private let descriptor: Int32

  /// Bytes written so far; a checkpoint notes it.
  package private(set) var length: Int

  /// Opens the log and cuts it to its first `length` bytes: what came after them is about to be done again.
  package init(path: String, length: Int) throws(FileError) {
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
  }

  deinit { close(descriptor) }

  /// Appends one line.
  package func append(_ line: some Encodable) throws {
    let text = try canonicalJSON(line) + "\n"
    try writeAll(text, to: descriptor, path: path)
    length += text.utf8.count
  }
}
