internal import Foundation
internal import Glibc

/// A file mapped read-only into memory; unmapped when the last user lets go of it.
///
/// What another program writes into the file meanwhile appears in the mapping: `checkUnchanged` tells. One that makes it
/// shorter ends the process (`MappedFile.endCleanlyWhenCutShort`).
///
/// `@unchecked Sendable`: the mapping is read-only and lives as long as the object.
public final class MappedFile: @unchecked Sendable {
  /// The path it was opened by.
  public let path: String
  /// The file's bytes; valid while this object lives.
  public let bytes: UnsafeRawBufferPointer
  /// None (-1) where the bytes are memory of their own.
  private let descriptor: Int32
  /// What the file was when it was opened.
  public let stamp: FileStamp

  /// Maps the whole file.
  /// - Throws: `FileError` when the file can't be opened, is not a regular file, or can't be mapped.
  public convenience init(path: String) throws(FileError) {
    // Not waiting for the other end of a pipe.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw FileError(path: path, action: "open", errno: errno) }
    try self.init(path: path, owning: descriptor)
  }

  /// Maps the whole file that a descriptor is of, whatever lies at `path` by now.
  /// - Throws: as the other.
  public convenience init(path: String, descriptor: Int32) throws(FileError) {
    let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
    guard copy >= 0 else { throw FileError(path: path, action: "open", errno: errno) }
    try self.init(path: path, owning: copy)
  }

  private init(path: String, owning descriptor: Int32) throws(FileError) {
    self.path = path
    self.descriptor = descriptor
    do throws(FileError) {
      var status = stat()
      guard fstat(descriptor, &status) == 0 else { throw FileError(path: path, action: "read", errno: errno) }
      guard status.st_mode & S_IFMT == S_IFREG else {
        throw FileError(
          path: path, action: "read",
          reason: status.st_mode & S_IFMT == S_IFDIR ? "a folder, not a file" : "not a regular file")
      }
      stamp = FileStamp(status)
      let size = Int(status.st_size)
      if size == 0 {
        bytes = UnsafeRawBufferPointer(start: nil, count: 0)
        return
      }
      guard let start = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), start != MAP_FAILED else {
        throw FileError(path: path, action: "map", errno: errno)
      }
      bytes = UnsafeRawBufferPointer(start: start, count: size)
    } catch {
      close(descriptor)
      throw error
    }
  }

  /// Bytes that stand for a file's, made of another one: memory of their own, which nobody else writes into.
  /// - Parameters:
  ///   - path: the file that they were made of.
  ///   - fill: writes all `count` bytes.
  /// - Throws: `FileError` when there is no memory; what `fill` throws.
  public init(path: String, count: Int, fill: (UnsafeMutableRawBufferPointer) throws -> Void) throws {
    self.path = path
    descriptor = -1
    var status = stat()
    status.st_size = off_t(count)
    stamp = FileStamp(status)
    guard count > 0 else {
      bytes = UnsafeRawBufferPointer(start: nil, count: 0)
      return
    }
    guard let start = mmap(nil, count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
      start != MAP_FAILED
    else { throw FileError(path: path, action: "keep", errno: errno) }
    bytes = UnsafeRawBufferPointer(start: start, count: count)
    try fill(UnsafeMutableRawBufferPointer(start: start, count: count))
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
    if let start = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: start), bytes.count) }
  }

  /// Makes sure that nobody has written into the file since it was opened. A file that has taken its name is another
  /// file, and harmless.
  /// - Throws: `FileError`.
  public func checkUnchanged() throws(FileError) {
    if descriptor < 0 { return }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw FileError(path: path, action: "read", errno: errno) }
    let now = FileStamp(status)
    guard now.size == stamp.size, now.modified == stamp.modified else {
      throw FileError(
        path: path, action: "go on", reason: "another program wrote into it while it was in use; start again")
    }
  }

  /// From now on a mapped file that another program cuts short ends the process with one line and status 1, rather than
  /// by SIGBUS with a trace. For programs, at their start.
  public static func endCleanlyWhenCutShort() {
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { _ in
      // Nothing but system calls here.
      let line: StaticString = "captioner: a file was cut short by another program while it was read\n"
      line.withUTF8Buffer { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
      _exit(1)
    }
    sigaction(SIGBUS, &action, nil)
  }
}
