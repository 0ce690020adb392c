internal import Glibc

/// A file that appears whole or not at all: written without a name where the file system can, else under a random one
/// beside its destination, synced, then renamed over it.
///
/// A destination that is there keeps its permissions, and a symbolic link goes on pointing to it.
public struct AtomicFile: ~Copyable {
  /// The destination, as it was given.
  public let path: String
  /// The destination, behind all symbolic links.
  private let target: String
  /// The name the bytes have for now; nil while they have none.
  private var temporaryPath: String?
  private var descriptor: Int32

  /// What happens to a file that is there already.
  private enum Publication { case replacing, keeping }

  /// Writes `path` through `body`; on any error the destination is as it was and nothing is left behind.
  /// - Parameter amongMany: what a killed process left beside it is not looked for: whoever writes many files into a folder
  ///   has that removed once (`removeLeftovers(in:)`).
  /// - Throws: `FileError` from the file system; whatever `body` throws.
  public static func write(
    to path: String, amongMany: Bool = false, _ body: (inout AtomicFile) throws -> Void
  ) throws {
    var file = try begin(path, amongMany)
    try body(&file)
    try file.commit(.replacing)
  }

  /// The same, unless there is such a file by then: then that one stays.
  /// - Returns: whether the file was made.
  /// - Throws: as `write`.
  public static func create(
    _ path: String, amongMany: Bool = false, _ body: (inout AtomicFile) throws -> Void
  ) throws -> Bool {
    var file = try begin(path, amongMany)
    try body(&file)
    return try file.commit(.keeping)
  }

  /// Tries whether `path` could be written, and leaves everything as it is, but for what a process left beside it that
  /// was killed while it wrote `path`: that is removed.
  /// - Throws: `FileError`, as `write`.
  public static func check(_ path: String) throws(FileError) {
    TemporaryName.removeLeftovers(of: try begin(path).target)
  }

  private init(path: String, target: String, temporaryPath: String?, descriptor: Int32) {
    self.path = path
    self.target = target
    self.temporaryPath = temporaryPath
    self.descriptor = descriptor
  }

  private static func begin(_ path: String, _ amongMany: Bool = false) throws(FileError) -> AtomicFile {
    let target = try behindLinks(path)
    var status = stat()
    let exists = stat(FileName.path(target), &status) == 0
    // Renaming would put a file in the place of a device such as /dev/null.
    if exists, status.st_mode & S_IFMT != S_IFREG {
      throw FileError(path: path, action: "write", reason: "not a regular file")
    }
    let flags = O_WRONLY | O_CLOEXEC
    var temporaryPath: String?
    var descriptor = open(FileName.path(folder(of: target)), flags | unnamed, 0o644)
    // A name is given by way of /proc, which not every container has.
    if descriptor >= 0, access("/proc/self/fd/\(descriptor)", F_OK) != 0 {
      close(descriptor)
      descriptor = -1
    }
    if descriptor < 0 {
      if !amongMany { TemporaryName.removeLeftovers(of: target) }
      let name = TemporaryName.random(for: target)
      descriptor = open(FileName.path(name), flags | O_CREAT | O_EXCL | O_NOFOLLOW, 0o644)
      guard descriptor >= 0 else { throw FileError(path: path, action: "write", errno: errno) }
      temporaryPath = name
    }
    // Held while it is written, so that nobody takes it for a left-over; also one that gets its name at the end.
    flock(descriptor, LOCK_EX | LOCK_NB)
    if exists {
      // Only root may give files away; then the group is right at least.
      if fchown(descriptor, status.st_uid, status.st_gid) != 0 {
        fchown(descriptor, uid_t.max, status.st_gid)
      }
      fchmod(descriptor, status.st_mode & 0o7777)
    }
    return AtomicFile(path: path, target: target, temporaryPath: temporaryPath, descriptor: descriptor)
  }

  /// `O_TMPFILE`, which Swift does not import.
  private static let unnamed = Int32(bitPattern: 0x40_0000) | O_DIRECTORY

  /// The path with the links of its last component followed, also where they lead to nothing yet.
  private static func behindLinks(_ path: String) throws(FileError) -> String {
    var path = path
    for _ in 0..<40 {
      var bytes = [UInt8](repeating: 0, count: Int(PATH_MAX))
      let count = bytes.withUnsafeMutableBytes {
        readlink(FileName.path(path), $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count)
      }
      if count < 0 { return path }
      let link = FileName.text(bytes[..<count])
      path = link.hasPrefix("/") ? link : folder(of: path) + "/" + link
    }
    throw FileError(path: path, action: "write", errno: ELOOP)
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

  @discardableResult
  private mutating func commit(_ publication: Publication) throws(FileError) -> Bool {
    guard fsync(descriptor) == 0 else { throw failure() }
    if publication == .keeping {
      guard link(to: target) else {
        if errno == EEXIST { return false }
        throw failure()
      }
    } else {
      if temporaryPath == nil {
        let name = TemporaryName.random(for: target)
        guard link(to: name) else { throw failure() }
        temporaryPath = name
      }
      guard let name = temporaryPath, rename(FileName.path(name), FileName.path(target)) == 0 else {
        throw failure()
      }
      temporaryPath = nil
    }
    // The name itself must reach the disk too; a directory that can't be synced is no reason to fail.
    let parent = open(FileName.path(folder(of: target)), O_RDONLY | O_CLOEXEC)
    if parent >= 0 {
      fsync(parent)
      close(parent)
    }
    return true
  }

  /// Gives the file a name that nothing has yet.
  private func link(to name: String) -> Bool {
    let name = FileName.path(name)
    if let temporaryPath { return Glibc.link(FileName.path(temporaryPath), name) == 0 }
    return linkat(AT_FDCWD, "/proc/self/fd/\(descriptor)", AT_FDCWD, name, AT_SYMLINK_FOLLOW) == 0
  }

  private func failure() -> FileError { FileError(path: path, action: "write", errno: errno) }

  deinit {
    // Before it is closed, and its lock with it.
    if let temporaryPath { unlink(FileName.path(temporaryPath)) }
    if descriptor >= 0 { close(descriptor) }
  }
}

/// The folder that a path's last component lies in. (Foundation's deletingLastPathComponent traps on a name of one
/// letter.)
func folder(of path: String) -> String {
  guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
  return slash == path.startIndex ? "/" : String(path[..<slash])
}
