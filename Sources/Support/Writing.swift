internal import Glibc

/// Writes all bytes to a descriptor, however many calls it takes: a disk that fills up takes a part first.
/// - Parameters:
///   - offset: where in the file; where it stands unless given.
///   - path: the file's name in errors.
/// - Throws: `FileError`.
public func writeAll(
  _ bytes: UnsafeRawBufferPointer, to descriptor: Int32, at offset: Int? = nil, path: String
) throws(FileError) {
  var done = 0
  while done < bytes.count {
    let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
    let written =
      if let offset {
        pwrite(descriptor, rest.baseAddress, rest.count, off_t(offset + done))
      } else {
        write(descriptor, rest.baseAddress, rest.count)
      }
    if written < 0 && errno == EINTR { continue }
    guard written > 0 else { throw FileError(path: path, action: "write", errno: errno) }
    done += written
  }
}

/// Writes a string as UTF-8, as the other does bytes.
/// - Throws: `FileError`.
public func writeAll(_ text: String, to descriptor: Int32, path: String) throws(FileError) {
  try Array(text.utf8).withUnsafeBufferPointer { (bytes) throws(FileError) in
    try writeAll(UnsafeRawBufferPointer(bytes), to: descriptor, path: path)
  }
}

/// Writes text to standard error; what can't be written is lost.
public func writeToStandardError(_ text: String) {
  try? writeAll(text, to: STDERR_FILENO, path: "standard error")
}
