internal import Glibc

/// A file that appears whole or not at all: written beside its destination, synced, then renamed over it.
public struct AtomicFile: ~Copyable {
  /// The destination.
  public let path: String
  private let temporaryPath: String
  private var descriptor: Int32
  private var committed = false

  /// Writes `path` through `body`; on any error the destination is as it was and nothing is left behind.
  /// - Throws: `FileError` from the file system; whatever `body` throws.
  public static func write(to path: String, _ body: (inout AtomicFile) throws -> Void) throws {
    // Renaming would put a file in the place of a device such as /dev/null.
    var status = stat()
    if stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
      throw FileError(path: path, action: "write", reason: "not a regular file")
    }
    var file = try AtomicFile(path: path)
    try body(&file)
    try file.commit()
  }

  private init(path: String) throws(FileError) {
    self.path = path
    temporaryPath = "\(path).partial-\(getpid())"
    descriptor = open(temporaryPath, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw FileError(path: path, action: "write", errno: errno) }
  }

  /// Appends bytes.
  public mutating func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
    try writeAll(bytes, to: descriptor, path: path)
  }

  /// Appends bytes.
  public mutating func write(_ bytes: [UInt8]) throws(FileError) {
    try bytes.withUnsafeBufferPointer { (bytes) throws(FileError) in
      try writeAll(UnsafeRawBufferPointer(bytes), to: descriptor, path: path)
    }
  }

  /// Appends a string as UTF-8.
  public mutating func write(_ text: String) throws(FileError) { try write(Array(text.utf8)) }

  /// Makes the file `size` bytes long at once, zeros where nothing is written: a full disk is noticed here.
  public mutating func reserve(_ size: Int) throws(FileError) {
    let code = posix_fallocate(descriptor, 0, off_t(size))
    guard code == 0 else { throw FileError(path: path, action: "write", errno: code) }
  }

  private mutating func commit() throws(FileError) {
    guard fsync(descriptor) == 0, rename(temporaryPath, path) == 0 else {
      throw FileError(path: path, action: "write", errno: errno)
    }
    committed = true
    // The rename itself must reach the disk too; a directory that can't be synced is no reason to fail.
    // (Foundation's deletingLastPathComponent traps on a name of one letter.)
    let parent = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
    let folder = open(parent, O_RDONLY | O_CLOEXEC)
    if folder >= 0 {
      fsync(folder)
      close(folder)
    }
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
    if !committed && descriptor >= 0 { unlink(temporaryPath) }
  }
}
