/// The chunks of a PNG file.
struct PNGFile {
  private struct Chunk {
    let type: [UInt8]
    /// From its length to its checksum.
    let whole: Range<Int>
    let data: Range<Int>
  }

  private let bytes: UnsafeRawBufferPointer
  private var chunks: [Chunk] = []

  private static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
  private static let keyword = Array("XML:com.adobe.xmp\0".utf8)
  private static let (text, pixels, end) = (Array("iTXt".utf8), Array("IDAT".utf8), Array("IEND".utf8))

  /// Whether a file that begins so is one.
  static func matches(_ bytes: UnsafeRawBufferPointer) -> Bool { bytes.holds(signature, at: 0) }

  /// Reads the chunks.
  /// - Throws: `MetadataError`
  init(_ bytes: UnsafeRawBufferPointer) throws(MetadataError) {
    self.bytes = bytes
    var place = Self.signature.count
    repeat {
      guard place + 12 <= bytes.count, bytes.big32(place) <= bytes.count - place - 12 else {
        throw MetadataError("PNG", "byte \(place): expected a chunk, found none that is whole")
      }
      let data = place + 8..<place + 8 + bytes.big32(place)
      chunks.append(
        Chunk(
          type: Array(bytes[place + 4..<place + 8]), whole: place..<data.upperBound + 4, data: data))
      place = data.upperBound + 4
    } while chunks.last?.type != Self.end
  }

  /// The chunk that holds XMP, and the packet in it.
  private var packet: (place: Int, bytes: [UInt8])? {
    get throws(MetadataError) {
      let found = chunks.firstIndex {
        $0.type == Self.text && bytes.holds(Self.keyword, at: $0.data.lowerBound)
      }
      guard let found, chunks[found].data.count >= Self.keyword.count + 2 else { return nil }
      // Whether it is compressed, and how; then a language and the keyword in it, each with a zero behind it.
      var rest = bytes[chunks[found].data].dropFirst(Self.keyword.count)
      guard rest.first == 0 else {
        throw MetadataError("XMP", "it is compressed, which it may not be in a PNG")
      }
      rest = rest.dropFirst(2)
      for _ in 0..<2 {
        guard let zero = rest.firstIndex(of: 0) else { throw MetadataError("PNG", "its XMP is cut short") }
        rest = rest[(zero + 1)...]
      }
      var packet = Array(rest)
      while packet.last == 0 { packet.removeLast() }
      return (found, packet)
    }
  }

  /// What XMP says of the photo; nil: nothing.
  /// - Throws: `MetadataError`
  var description: String? {
    get throws(MetadataError) {
      guard let packet = try packet else { return nil }
      return try XMPPacket(packet.bytes).description
    }
  }

  /// The file with a description in XMP; all other chunks stay.
  /// - Throws: `MetadataError`
  func describing(_ text: String) throws(MetadataError) -> [PhotoPart] {
    let old = try packet
    let xmp = try XMPPacket.describing(text, old?.bytes)
    let data = Self.text + Self.keyword + [0, 0, 0, 0] + xmp
    let chunk = bigEndian(data.count - 4, bytes: 4) + data + bigEndian(Int(Self.checksum(data)), bytes: 4)
    guard let place = old?.place ?? chunks.firstIndex(where: { $0.type == Self.pixels }) else {
      throw MetadataError("PNG", "expected pixels (IDAT), found none")
    }
    let start = chunks[place].whole.lowerBound
    let next = old == nil ? start : chunks[place].whole.upperBound
    return [.kept(0..<start), .new(chunk), .kept(next..<bytes.count)]
  }

  /// CRC-32 (ISO 3309), of a chunk's type and data.
  static func checksum(_ bytes: [UInt8]) -> UInt32 {
    ~bytes.reduce(~0) { table[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] ^ ($0 >> 8) }
  }

  private static let table: [UInt32] = (0..<256).map { byte in
    (0..<8).reduce(byte) { value, _ in value & 1 == 1 ? 0xEDB8_8320 ^ (value >> 1) : value >> 1 }
  }
}
