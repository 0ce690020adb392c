internal import Support

/// What was done to the bytes of a chunk before they were written.
struct HDF5Filters: Sendable {
  enum Filter: Sendable, Equatable {
    case deflate
    /// The first bytes of all elements, then the second, ….
    case shuffle(elementSize: Int)
    /// A checksum after the bytes.
    case fletcher32
  }

  /// In the order in which they were applied.
  private(set) var filters: [Filter] = []

  /// No byte of deflate makes more.
  static let mostOfDeflate = 1040

  /// Reads the message, where there is one.
  init(_ header: HDF5ObjectHeader, elementSize: Int, of bytes: HDF5Bytes) throws(WeightFileError) {
    guard var cursor = try header.cursor(.filters, of: bytes) else { return }
    let version = try cursor.byte("the filters' version")
    guard version == 1 || version == 2 else {
      throw cursor.malformed("filters of version 1 or 2", "\(version)")
    }
    let count = try cursor.byte("filters")
    if version == 1 { try cursor.skip(6, "filters") }
    for _ in 0..<count {
      let kind = try cursor.number("a filter", size: 2)
      let length = version == 1 || kind >= 256 ? try cursor.number("the filter's name", size: 2) : 0
      _ = try cursor.number("the filter's flags", size: 2)
      let values = try cursor.number("the filter's values", size: 2)
      let name = try cursor.text(version == 1 ? (length + 7) & ~7 : length, "name")
      let first = values > 0 ? try cursor.number("the filter's value", size: 4) : nil
      try cursor.skip(
        max(0, values - 1) * 4 + (version == 1 && values % 2 == 1 ? 4 : 0), "the filter's values")
      switch kind {
      case 1: filters.append(.deflate)
      case 2:
        let size = first ?? elementSize
        guard size > 0 else { throw cursor.malformed("elements of at least a byte, shuffled", "0") }
        filters.append(.shuffle(elementSize: size))
      case 3: filters.append(.fletcher32)
      default:
        let known = [4: "szip", 5: "n-bit", 6: "scale-offset", 32000: "lzf"]
        throw cursor.refused(
          "chunks packed by \(known[kind] ?? "filter \(kind) (\(name.printable()))") are not read; by gzip they are"
        )
      }
    }
    guard filters.count(where: { $0 == .deflate }) <= 1 else {
      throw cursor.refused("chunks that are compressed twice are not read")
    }
  }

  /// Whether a mask leaves deflate.
  func isDeflated(_ mask: UInt32) -> Bool {
    zip(filters, 0...).contains { $0 == .deflate && !Self.isSkipped($1, mask) }
  }

  /// Bit n: filter n was not applied to this chunk.
  private static func isSkipped(_ index: Int, _ mask: UInt32) -> Bool {
    index < 32 && mask >> UInt32(index) & 1 == 1
  }

  /// The bytes of a chunk as they were.
  /// - Parameters:
  ///   - packed: as they lie in the file.
  ///   - mask: filters that were not applied.
  ///   - size: how many there were.
  /// - Returns: nil where nothing was done to them.
  /// - Throws: `Damage`.
  func unpacked(_ packed: UnsafeRawBufferPointer, mask: UInt32, size: Int) throws(Damage) -> [UInt8]? {
    let applied = zip(filters, 0...).filter { !Self.isSkipped($1, mask) }.map(\.0)
    if applied.isEmpty { return nil }
    var bytes: [UInt8]?
    for (index, filter) in applied.enumerated().reversed() {
      // A checksum that was written before this filter is among its bytes.
      let expected = size + 4 * applied[..<index].count { $0 == .fletcher32 }
      switch filter {
      case .deflate:
        let current = bytes
        let count = current?.count ?? packed.count
        guard expected <= Self.mostOfDeflate * count + 64 else {
          throw Damage(expected: "\(expected) bytes of a chunk", found: "\(count), which can't hold them")
        }
        if let current {
          bytes = try current.withUnsafeBufferPointer { (memory) throws(Damage) in
            try Self.inflated(UnsafeRawBufferPointer(memory), expected)
          }
        } else {
          bytes = try Self.inflated(packed, expected)
        }
      case .shuffle(let elementSize): bytes = Self.unshuffled(bytes ?? Array(packed), elementSize)
      case .fletcher32:
        var whole = bytes ?? Array(packed)
        guard whole.count >= 4 else { throw Damage(expected: "a checksum", found: "\(whole.count) bytes") }
        let sum = whole.suffix(4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        whole.removeLast(4)
        let its = Self.checksum(whole)
        guard its == (sum >> 16 % 65535, sum & 0xFFFF % 65535) else {
          throw Damage(expected: "a chunk that agrees with its checksum", found: "another")
        }
        bytes = whole
      }
    }
    return bytes
  }

  /// Why a chunk can't be read.
  struct Damage: Error {
    let expected: String
    let found: String
  }

  private static func inflated(_ packed: UnsafeRawBufferPointer, _ size: Int) throws(Damage) -> [UInt8] {
    do throws(Inflater.Damage) {
      let inflater = try Inflater(packed, .zlib)
      var failure: Inflater.Damage?
      // One more than there should be: whether there are more is seen.
      let bytes = [UInt8](unsafeUninitializedCapacity: size + 1) { buffer, count in
        do throws(Inflater.Damage) {
          count = try inflater.read(into: UnsafeMutableRawBufferPointer(buffer))
        } catch {
          count = 0
          failure = error
        }
      }
      if let failure { throw failure }
      guard bytes.count == size else {
        throw Inflater.Damage(reason: "\(bytes.count > size ? "more" : "\(bytes.count)") bytes")
      }
      return bytes
    } catch {
      throw Damage(expected: "\(size) bytes of a chunk, packed by deflate", found: error.reason)
    }
  }

  static func unshuffled(_ bytes: [UInt8], _ elementSize: Int) -> [UInt8] {
    let count = bytes.count / elementSize
    guard elementSize > 1, count > 1 else { return bytes }
    // What is no whole element stays at the end.
    var result = bytes
    bytes.withUnsafeBufferPointer { from in
      result.withUnsafeMutableBufferPointer { to in
        for part in 0..<elementSize {
          var place = part
          for index in part * count..<(part + 1) * count {
            to[place] = from[index]
            place += elementSize
          }
        }
      }
    }
    return result
  }

  /// Fletcher's sums of 16-bit words, big-endian, an odd byte as the upper half of one; modulo 65535.
  static func checksum(_ bytes: [UInt8]) -> (UInt32, UInt32) {
    var first: UInt64 = 0
    var second: UInt64 = 0
    for index in stride(from: 0, to: bytes.count, by: 2) {
      first += UInt64(bytes[index]) << 8 | (index + 1 < bytes.count ? UInt64(bytes[index + 1]) : 0)
      second += first
      // Long before they overflow.
      if index & 0xFFFE == 0 {
        first %= 65535
        second %= 65535
      }
    }
    return (UInt32(second % 65535), UInt32(first % 65535))
  }
}
