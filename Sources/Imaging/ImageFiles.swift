internal import Glibc
internal import Support

/// Images in the file system. Paths are `FileName` texts.
public enum ImageFiles {
  /// The largest file that is read: 1 GiB.
  static let maximumBytes = 1 << 30
  /// The most that is read of a pipe.
  static let maximumStreamBytes = 1 << 29

  /// What a path stands for.
  public struct Listing: Sendable, Equatable {
    /// The files, sorted by the bytes of their names.
    public var files: [String] = []
    /// What was left out, a line each: `photos: 2 folders left out …`.
    public var notes: [String] = []
    /// Files that were passed over since they are no images.
    public var others = 0
    /// Folders in it that can't be read.
    public var failures: [ImageError] = []

    /// What a folder lacks that has no file to read.
    public var lack: String {
      if others > 0 { return "a folder without images" }
      return notes.isEmpty
        ? "a folder without files"
        : "a folder without files of its own; --recursive goes into the folders in it"
    }
  }

  /// The files that `path` stands for: when it is a folder every file in it that is an image, or by its name should be one
  /// (links that lead nowhere too, which will fail), hidden ones left out; itself otherwise.
  /// - Parameter recursive: whether folders in it are gone into, each once, whatever links lead to it.
  /// - Throws: `ImageError.unreadable` for a folder that can't be listed.
  public static func list(_ path: String, recursive: Bool = false) throws(ImageError) -> Listing {
    var status = stat()
    guard stat(FileName.path(path), &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
      return Listing(files: [path])
    }
    var listing = Listing()
    var known: Set<FolderIdentity> = [FolderIdentity(status)]
    var folders = [path]
    while let folder = folders.popLast() {
      do throws(ImageError) {
        let inner = try list(folder: folder, into: &listing)
        if recursive {
          folders += inner.filter { known.insert($0.identity).inserted }.map(\.path)
        } else if !inner.isEmpty {
          let count = inner.count == 1 ? "1 folder" : "\(inner.count) folders"
          listing.notes.append("\(folder): \(count) left out: --recursive goes into them")
        }
      } catch {
        if folder == path { throw error }
        listing.failures.append(error)
      }
    }
    let all = listing.files.count
    listing.files.removeAll(where: isOther)
    listing.others = all - listing.files.count
    if listing.others > 0 {
      let files =
        listing.others == 1 ? "1 file that is no image" : "\(listing.others) files that are no images"
      listing.notes.append("\(path): \(files) skipped")
    }
    listing.files.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    return listing
  }

  private struct FolderIdentity: Hashable {
    let device: UInt64
    let number: UInt64
    init(_ status: stat) {
      device = UInt64(status.st_dev)
      number = UInt64(status.st_ino)
    }
  }

  /// Adds the files of one folder; the folders in it.
  private static func list(
    folder path: String, into listing: inout Listing
  ) throws(ImageError) -> [(path: String, identity: FolderIdentity)] {
    guard let folder = opendir(FileName.path(path)) else {
      throw .unreadable(path: path, reason: lastError())
    }
    defer { closedir(folder) }
    let prefix = path.hasSuffix("/") ? path : path + "/"
    var inner: [(path: String, identity: FolderIdentity)] = []
    errno = 0
    while let entry = readdir(folder) {
      var status = stat()
      let (name, found) = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        let start = bytes.baseAddress!.assumingMemoryBound(to: CChar.self)
        return (FileName.text(bytes.prefix { $0 != 0 }), fstatat(dirfd(folder), start, &status, 0) == 0)
      }
      if !name.hasPrefix(".") {
        switch status.st_mode & S_IFMT {
        case _ where !found, S_IFREG: listing.files.append(prefix + name)
        case S_IFDIR: inner.append((prefix + name, FolderIdentity(status)))
        default: listing.notes.append("\(prefix)\(name): left out: \(kind(status))")
        }
      }
      errno = 0
    }
    guard errno == 0 else { throw .unreadable(path: path, reason: lastError()) }
    return inner
  }

  /// What is no regular file.
  static func kind(_ status: stat) -> String {
    switch status.st_mode & S_IFMT {
    case S_IFDIR: "is a directory"
    case S_IFIFO: "a named pipe, not a regular file"
    case S_IFSOCK: "a socket, not a regular file"
    case S_IFCHR, S_IFBLK: "a device, not a regular file"
    default: "not a regular file"
    }
  }

  /// Opens a file, or what `<(command)` of a shell stands for.
  /// - Returns: its descriptor, the caller's to close, and its size; no size for a pipe.
  static func open(_ path: String) throws(ImageError) -> (descriptor: Int32, size: Int?) {
    let name = FileName.path(path)
    // Not waiting for the other end of a pipe.
    let descriptor = Glibc.open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw .unreadable(path: path, reason: whyNotOpened(path)) }
    var status = stat()
    var problem: String?
    if fstat(descriptor, &status) != 0 {
      problem = lastError()
    } else if status.st_mode & S_IFMT == S_IFREG {
      return (descriptor, Int(status.st_size))
    } else if status.st_mode & S_IFMT == S_IFIFO, isDescriptor(path) {
      return (descriptor, nil)
    } else {
      problem = kind(status)
    }
    close(descriptor)
    throw .unreadable(path: path, reason: problem ?? "not a regular file")
  }

  /// Whether a path leads to a pipe that the process was given, not to one in the file system that may never end.
  private static func isDescriptor(_ path: String) -> Bool {
    guard let first = target(of: path) else { return false }
    let last = first.hasPrefix("/proc/self/fd/") ? target(of: first) : first
    return last?.hasPrefix("pipe:[") == true
  }

  private static func whyNotOpened(_ path: String) -> String {
    let number = errno
    let reason = lastError()
    if number == ENXIO { return "a socket or a device, not a regular file" }
    guard number == ENOENT else { return reason }
    if path.prefixMatch(of: /[A-Za-z][A-Za-z0-9+.\-]*:\/\//) != nil {
      return "an address, not a file: download it first, as in curl -L ADDRESS | captioner caption -"
    }
    return target(of: path).map { "\(reason): a link to \($0)" } ?? reason
  }

  /// What a link leads to; nil for all else.
  private static func target(of path: String) -> String? {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) { buffer in
      let count = readlink(FileName.path(path), buffer.baseAddress!, buffer.count)
      return count > 0 ? FileName.text(buffer.prefix(count).map { UInt8(bitPattern: $0) }) : nil
    }
  }

  static func lastError() -> String { String(cString: strerror(errno)) }
}
