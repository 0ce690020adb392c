internal import Glibc

/// A file's bytes, read rather than mapped: what other programs do to the file afterwards changes nothing. Pipes are read
/// to their end.
public final class FileContents: @unchecked Sendable {
  /// The path it was read from.
  public let path: String
  /// The bytes; valid while this object lives, and never written.
  public let bytes: UnsafeRawBufferPointer

  /// Reads the whole file.
  /// - Parameter limit: the most bytes that are read.
  /// - Throws: `FileError` when it can't be opened or read, is a folder or a device, or is larger than `limit`.
  public init(path: String, limit: Int = 1 << 34) throws(FileError) {
    let descriptor = open(FileName.path(path), O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw FileError(path: path, action: "open", errno: errno) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw FileError(path: path, action: "read", errno: errno) }
    let kind = status.st_mode & S_IFMT
    guard kind == S_IFREG || kind == S_IFIFO else {
      throw FileError(
        path: path, action: "read",
        reason: status.st_mode & S_IFMT == S_IFDIR ? "a folder, not a file" : "not a regular file")
    }
    // One more than the file has: its end is seen at once.
    var capacity = max(1 << 16, min(limit, Int(status.st_size)) + 1)
    var memory = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
    var count = 0
    var failure: FileError?
    while true {
      if count == capacity {
        let larger = UnsafeMutableRawPointer.allocate(byteCount: capacity * 2, alignment: 16)
        larger.copyMemory(from: memory, byteCount: count)
        memory.deallocate()
        memory = larger
        capacity *= 2
      }
      let got = Glibc.read(descriptor, memory + count, capacity - count)
      if got < 0 && errno == EINTR { continue }
      if got < 0 { failure = FileError(path: path, action: "read", errno: errno) }
      if got <= 0 { break }
      count += got
      if count > limit {
        failure = FileError(path: path, action: "read", reason: "more than \(limit) bytes")
        break
      }
    }
    if let failure {
      memory.deallocate()
      throw failure
    }
    self.path = path
    bytes = UnsafeRawBufferPointer(start: count == 0 ? nil : memory, count: count)
    if count == 0 { memory.deallocate() }
  }

  /// The same file in other bytes, which are copied.
  public init(path: String, bytes: [UInt8]) {
    self.path = path
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, bytes.count), alignment: 16)
    memory.copyBytes(from: bytes)
    self.bytes = UnsafeRawBufferPointer(rebasing: memory[..<bytes.count])
  }

  deinit { bytes.baseAddress.map { UnsafeMutableRawPointer(mutating: $0).deallocate() } }
}
