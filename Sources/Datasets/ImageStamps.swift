internal import Glibc
internal import Support

/// What the images of a feature cache were when their features were made: size, times and fingerprint, a row each.
final class ImageStamps {
  private let descriptor: Int32
  private let path: String
  /// Where the stamps lie in the file; nil in files of earlier versions.
  private let offset: Int?
  private let files: [String]?
  /// When the file was last written, as it was found.
  private let written: FileStamp?
  /// Whether this process may write.
  private let renews: Bool
  /// What the images were when the cache was opened, before anything is read of them.
  private let found: [FileStamp?]
  /// [N × 4].
  private var stored: [UInt64]

  init(
    _ descriptor: Int32, path: String, offset: Int?, files: [String]?, written: FileStamp?, renews: Bool
  ) throws(MapCacheError) {
    self.descriptor = descriptor
    self.path = path
    self.offset = offset
    self.files = files
    self.written = written
    self.renews = renews
    found = files.map { $0.map { FileStamp(ofFileAt: $0) } } ?? []
    stored = []
    guard let offset, let files else { return }
    stored = [UInt64](repeating: 0, count: files.count * 4)
    let got = stored.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, off_t(offset)) }
    guard got == stored.count * 8 else { throw .file(FileError(path: path, action: "read", errno: errno)) }
  }

  /// Whether a row's image is another than the one that its features were made of. One that is gone has not changed.
  func hasChanged(_ row: Int) throws(MapCacheError) -> Bool {
    guard let files, let now = found[row] else { return false }
    guard offset != nil else { return written.map { now.modified > $0.modified } ?? false }
    let before = FileStamp(size: stored[4 * row], modified: stored[4 * row + 1], changed: stored[4 * row + 2])
    if now == before { return false }
    guard now.size == before.size, Fingerprint.ofFile(at: files[row]) == stored[4 * row + 3] else {
      return true
    }
    // The same content with other times: copied, say. Next time it need not be read.
    if renews { try write(now, stored[4 * row + 3], row) }
    return false
  }

  /// Notes what a row's image is, now that its features were made. One that was written to meanwhile counts as changed.
  func note(_ row: Int) throws(MapCacheError) {
    guard let files else { return }
    let fingerprint = Fingerprint.ofFile(at: files[row])
    if let before = found[row], let fingerprint, FileStamp(ofFileAt: files[row]) == before {
      try write(before, fingerprint, row)
    } else {
      try write(FileStamp(size: 0, modified: 0, changed: 0), 0, row)
    }
  }

  private func write(_ stamp: FileStamp, _ fingerprint: UInt64, _ row: Int) throws(MapCacheError) {
    guard let offset else { return }
    let words = [stamp.size, stamp.modified, stamp.changed, fingerprint].map(\.littleEndian)
    do {
      try words.withUnsafeBufferPointer { (words) throws(FileError) in
        try writeAll(UnsafeRawBufferPointer(words), to: descriptor, at: offset + 32 * row, path: path)
      }
    } catch { throw .file(error) }
  }
}
