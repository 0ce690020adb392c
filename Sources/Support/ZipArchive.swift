/// A zip archive, as Java's are too, whose files are read one by one. Files that are encrypted, larger than 4 GiB or packed
/// otherwise than by deflate are refused when they are asked for.
public final class ZipArchive: Sendable {
  private struct Entry {
    let method: UInt16
    let isEncrypted: Bool
    let checksum: UInt32
    /// Bytes in the archive, and of the file.
    let packed, size: Int
    /// Where the header before its bytes is.
    let place: Int
  }

  /// The path it was opened by.
  public let path: String
  private let file: MappedFile
  private let entries: [String: Entry]

  /// The names of its files and folders.
  public var names: Set<String> { Set(entries.keys) }

  /// Opens an archive and reads its directory.
  /// - Throws: `FileError` when it can't be opened, or has no directory of a zip archive.
  public init(path: String) throws(FileError) {
    self.path = path
    file = try MappedFile(path: path)
    entries = try Self.entries(file.bytes, path)
  }

  /// The bytes of a file.
  /// - Parameter limit: the most bytes that it may have.
  /// - Throws: `FileError` when it isn't there, is larger, or is damaged.
  public func bytes(of name: String, limit: Int) throws(FileError) -> [UInt8] {
    func failure(_ reason: String) -> FileError {
      FileError(path: "\(path)/\(name)", action: "read", reason: reason)
    }
    guard let entry = entries[name] else { throw failure("not in the archive") }
    guard entry.size <= limit else { throw failure("\(entry.size) bytes, more than \(limit)") }
    guard !entry.isEncrypted else { throw failure("encrypted") }
    let all = file.bytes
    guard entry.place + 30 <= all.count, all.integer(at: entry.place) == 0x0403_4B50 as UInt32 else {
      throw failure("no file where the archive's directory says")
    }
    let lengths = (all.integer(at: entry.place + 26) as UInt16, all.integer(at: entry.place + 28) as UInt16)
    let start = entry.place + 30 + Int(lengths.0) + Int(lengths.1)
    guard start + entry.packed <= all.count else { throw failure("the archive is cut short") }
    let packed = UnsafeRawBufferPointer(rebasing: all[start..<start + entry.packed])
    let bytes: [UInt8]
    switch entry.method {
    case 0:
      guard entry.size == entry.packed else { throw failure("\(entry.packed) bytes, not \(entry.size)") }
      bytes = Array(packed)
    case 8:
      // Deflate makes at most about a thousand bytes of one.
      guard entry.size <= 1040 * entry.packed + 64 else { throw failure("more bytes than it can hold") }
      do {
        bytes = try Self.inflated(packed, entry.size)
      } catch {
        throw failure(error.reason)
      }
    default: throw failure("packed by method \(entry.method), not by deflate (8)")
    }
    guard Inflater.checksum(bytes) == entry.checksum else { throw failure("the checksum is another") }
    return bytes
  }

  private static func inflated(
    _ packed: UnsafeRawBufferPointer, _ size: Int
  ) throws(Inflater.Damage) -> [UInt8] {
    let inflater = try Inflater(packed, .bare)
    // One more than there should be: whether there are more is seen.
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: size + 1, alignment: 16)
    defer { buffer.deallocate() }
    let count = try inflater.read(into: buffer)
    guard count == size else {
      throw Inflater.Damage(reason: "expected \(size) bytes, found \(count > size ? "more" : "\(count)")")
    }
    return Array(UnsafeRawBufferPointer(rebasing: buffer[..<size]))
  }

  /// The directory at the archive's end.
  private static func entries(
    _ bytes: UnsafeRawBufferPointer, _ path: String
  ) throws(FileError) -> [String: Entry] {
    func failure(_ reason: String) -> FileError { FileError(path: path, action: "read", reason: reason) }
    let ends = stride(from: bytes.count - 22, through: max(0, bytes.count - 22 - 0xFFFF), by: -1)
    guard bytes.count >= 22, let end = ends.first(where: { bytes.integer(at: $0) == 0x0605_4B50 as UInt32 })
    else { throw failure("not a zip archive") }
    let count = bytes.integer(at: end + 10) as UInt16
    let size = bytes.integer(at: end + 12) as UInt32
    var place = Int(bytes.integer(at: end + 16) as UInt32)
    guard place + Int(size) <= end else { throw failure("the archive's directory is not where it says") }
    let limit = place + Int(size)
    var entries: [String: Entry] = [:]
    for number in 0..<Int(count) {
      guard place + 46 <= limit, bytes.integer(at: place) == 0x0201_4B50 as UInt32 else {
        throw failure("entry \(number + 1) of \(count) of the archive's directory is damaged")
      }
      func short(_ offset: Int) -> Int { Int(bytes.integer(at: place + offset) as UInt16) }
      func long(_ offset: Int) -> Int { Int(bytes.integer(at: place + offset) as UInt32) }
      let next = place + 46 + short(28) + short(30) + short(32)
      guard next <= limit else {
        throw failure("entry \(number + 1) of \(count) of the archive is cut short")
      }
      let name = String(decoding: bytes[place + 46..<place + 46 + short(28)], as: UTF8.self)
      entries[name] = Entry(
        method: UInt16(short(10)), isEncrypted: short(8) & 1 != 0, checksum: UInt32(long(16)),
        packed: long(20), size: long(24), place: long(42))
      place = next
    }
    return entries
  }
}

extension UnsafeRawBufferPointer {
  /// A little-endian number that may lie anywhere.
  fileprivate func integer<I: FixedWidthInteger>(at offset: Int) -> I {
    I(littleEndian: loadUnaligned(fromByteOffset: offset, as: I.self))
  }
}
