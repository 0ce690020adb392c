internal import Glibc

/// Images in the file system.
public enum ImageFiles {
  /// The largest file that is read: 1 GiB.
  static let maximumBytes = 1 << 30

  /// The files that `path` stands for: every regular file directly in it, sorted by name, when it is a folder
  /// (hidden ones left out; whether they are images is told by content, on decoding); itself otherwise.
  /// - Throws: `ImageError.unreadable` for a folder that can't be listed.
  public static func list(_ path: String) throws(ImageError) -> [String] {
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { return [path] }
    guard let folder = opendir(path) else { throw .unreadable(path: path, reason: lastError()) }
    defer { closedir(folder) }
    let prefix = path.hasSuffix("/") ? path : path + "/"
    var files: [String] = []
    errno = 0
    while let entry = readdir(folder) {
      // Asked by its bytes: a name that is no UTF-8 is still a file, though not one that can be opened by its text.
      let (name, found) = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        let start = bytes.baseAddress!.assumingMemoryBound(to: CChar.self)
        return (String(cString: start), fstatat(dirfd(folder), start, &status, 0) == 0)
      }
      if !name.hasPrefix("."), found, status.st_mode & S_IFMT == S_IFREG { files.append(prefix + name) }
      errno = 0
    }
    guard errno == 0 else { throw .unreadable(path: path, reason: lastError()) }
    return files.sorted()
  }

  /// The whole file, read rather than mapped: a file that shrinks meanwhile must not kill the process.
  static func bytes(of path: String) throws(ImageError) -> [UInt8] {
    // Not waiting for the other end of a pipe.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw .unreadable(path: path, reason: lastError()) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw .unreadable(path: path, reason: lastError()) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      let kind = status.st_mode & S_IFMT == S_IFDIR ? "is a directory" : "not a regular file"
      throw .unreadable(path: path, reason: kind)
    }
    let size = Int(status.st_size)
    guard size <= maximumBytes else {
      throw .tooLarge(path: path, expected: "a file of at most \(maximumBytes) bytes", found: "\(size) bytes")
    }
    var failure: String?
    let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      while count < size {
        let got = read(descriptor, buffer.baseAddress! + count, size - count)
        if got < 0 && errno == EINTR { continue }
        if got < 0 { failure = lastError() }
        if got <= 0 { break }
        count += got
      }
    }
    if let failure { throw .unreadable(path: path, reason: failure) }
    return bytes
  }

  /// What standard input holds, to its end.
  static func bytesOfStandardInput(named name: String) throws(ImageError) -> [UInt8] {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 20)
    while true {
      let got = read(0, &chunk, chunk.count)
      if got < 0 && errno == EINTR { continue }
      guard got >= 0 else { throw .unreadable(path: name, reason: lastError()) }
      if got == 0 { return bytes }
      bytes += chunk[..<got]
      guard bytes.count <= maximumBytes else {
        throw .tooLarge(path: name, expected: "at most \(maximumBytes) bytes", found: "more")
      }
    }
  }

  private static func lastError() -> String { String(cString: strerror(errno)) }
}
