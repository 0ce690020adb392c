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

  /// The names of its files and folders in the order in which they lie in it.
  public var orderedNames: [String] {
    entries.sorted { ($0.value.place, $0.key) < ($1.value.place, $1.key) }.map(\.key)
  }

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
    let (entry, packed) = try find(name, limit)
    let bytes: [UInt8]
    if entry.method == 0 {
      bytes = Array(packed)
    } else {
      do { bytes = try Self.inflated(packed, entry.size) } catch { throw failure(name, error.reason) }
    }
    let sum = bytes.withUnsafeBytes { Inflater.checksum($0) }
    guard sum == entry.checksum else { throw failure(name, "the checksum is another") }
    return bytes
  }

  /// A file's bytes where they lie: in the archive itself, or, where it has them packed, in memory. Checksums of 0 count as
  /// none, as PyTorch may write them.
  /// - Parameter limit: the most bytes that it may have.
  /// - Throws: as `bytes`; `FileError` too when there is no memory.
  public func part(_ name: String, limit: Int) throws(FileError) -> (file: MappedFile, range: Range<Int>) {
    let (entry, packed) = try find(name, limit)
    let isStored = entry.method == 0
    var part = (file: file, range: 0..<0)
    if isStored {
      let start = packed.baseAddress.map { $0 - file.bytes.baseAddress! } ?? 0
      part.range = start..<start + packed.count
    } else {
      do {
        let unpacked = try MappedFile(path: "\(path)/\(name)", count: entry.size) { memory in
          guard try Inflater(packed, .bare).read(into: memory) == memory.count else {
            throw Inflater.Damage(reason: "expected \(entry.size) bytes, found fewer")
          }
        }
        part = (unpacked, 0..<entry.size)
      } catch let error as FileError {
        throw error
      } catch {
        throw failure(name, (error as? Inflater.Damage)?.reason ?? "\(error)")
      }
    }
    let bytes = UnsafeRawBufferPointer(rebasing: part.file.bytes[part.range])
    guard isStored && entry.checksum == 0 || Inflater.checksum(bytes) == entry.checksum else {
      throw failure(name, "the checksum is another")
    }
    return part
  }

  /// The first bytes of a file, unchecked.
  /// - Parameter count: how many; fewer where it has no more.
  /// - Throws: as `bytes`.
  public func start(of name: String, count: Int) throws(FileError) -> [UInt8] {
    let (entry, packed) = try find(name, .max)
    let count = min(count, entry.size)
    if entry.method == 0 { return Array(packed.prefix(count)) }
    do {
      let inflater = try Inflater(packed, .bare)
      let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 16)
      defer { buffer.deallocate() }
      let read = try inflater.read(into: buffer)
      return Array(UnsafeRawBufferPointer(rebasing: buffer[..<read]))
    } catch { throw failure(name, error.reason) }
  }

  /// How many bytes a file has, packed or not; nil: it isn't there.
  public func size(of name: String) -> Int? { entries[name]?.size }

  private func failure(_ name: String, _ reason: String) -> FileError {
    FileError(path: "\(path)/\(name)", action: "read", reason: reason)
  }

  /// A file that can be read, and its bytes as they lie in the archive.
  private func find(_ name: String, _ limit: Int) throws(FileError) -> (Entry, UnsafeRawBufferPointer) {
    guard let entry = entries[name] else { throw failure(name, "not in the archive") }
    guard entry.packed < 0xFFFF_FFFF, entry.size < 0xFFFF_FFFF else {
      throw failure(name, "4 GiB or more")
    }
    guard entry.size <= limit else { throw failure(name, "\(entry.size) bytes, more than \(limit)") }
    guard !entry.isEncrypted else { throw failure(name, "encrypted") }
    let all = file.bytes
    guard entry.place + 30 <= all.count, all.integer(at: entry.place) == 0x0403_4B50 as UInt32 else {
      throw failure(name, "no file where the archive's directory says")
    }
    let lengths = (all.integer(at: entry.place + 26) as UInt16, all.integer(at: entry.place + 28) as UInt16)
    let start = entry.place + 30 + Int(lengths.0) + Int(lengths.1)
    guard start + entry.packed <= all.count else { throw failure(name, "the archive is cut short") }
    switch entry.method {
    case 0:
      guard entry.size == entry.packed else {
        throw failure(name, "\(entry.packed) bytes, not \(entry.size)")
      }
    case 8:
      // Deflate makes at most about a thousand bytes of one.
      guard entry.size <= 1040 * entry.packed + 64 else { throw failure(name, "more bytes than it can hold") }
    default: throw failure(name, "packed by method \(entry.method), not by deflate (8)")
    }
    return (entry, UnsafeRawBufferPointer(rebasing: all[start..<start + entry.packed]))
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
