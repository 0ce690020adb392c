internal import Glibc

/// What tells one state of a file from another without reading it.
public struct FileStamp: Sendable, Equatable {
  /// Bytes.
  public let size: UInt64
  /// When its bytes were last changed, and when those or what the system keeps about it, in nanoseconds since 1970.
  public let modified, changed: UInt64

  /// Of a file that is there.
  public init?(ofFileAt path: String) {
    var status = stat()
    guard stat(FileName.path(path), &status) == 0 else { return nil }
    self.init(status)
  }

  init(_ status: stat) {
    size = UInt64(bitPattern: Int64(status.st_size))
    modified = Self.nanoseconds(status.st_mtim)
    changed = Self.nanoseconds(status.st_ctim)
  }

  /// As stored.
  public init(size: UInt64, modified: UInt64, changed: UInt64) {
    self.size = size
    self.modified = modified
    self.changed = changed
  }

  private static func nanoseconds(_ time: timespec) -> UInt64 {
    UInt64(bitPattern: Int64(time.tv_sec)) &* 1_000_000_000 &+ UInt64(bitPattern: Int64(time.tv_nsec))
  }
}

extension Fingerprint {
  /// Of a file's bytes, read in blocks; nil if it is no file or can't be read.
  public static func ofFile(at path: String) -> UInt64? {
    let descriptor = open(FileName.path(path), O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    var fingerprint = Fingerprint()
    var block = [UInt64](repeating: 0, count: 1 << 13)
    while true {
      // Whole blocks, so that the number does not hang on how much a call gives.
      var filled = 0
      while filled < block.count * 8 {
        let got = block.withUnsafeMutableBytes {
          read(descriptor, $0.baseAddress! + filled, $0.count - filled)
        }
        if got < 0 && errno == EINTR { continue }
        if got < 0 { return nil }
        if got == 0 { break }
        filled += got
      }
      for word in block[..<(filled / 8)] { fingerprint.addFolded(word) }
      block.withUnsafeBytes { fingerprint.add(bytes: $0[(filled / 8 * 8)..<filled]) }
      if filled < block.count * 8 { return fingerprint.value }
    }
  }
}
