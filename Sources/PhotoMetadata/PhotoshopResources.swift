/// Photoshop's image resources, which a JPEG holds in APP13: blocks with numbers, one of which holds IPTC.
struct PhotoshopResources: Equatable {
  /// A block, whole.
  private struct Block: Equatable {
    let number: Int
    /// From its signature to its padding.
    let bytes: [UInt8]
    /// Where its data lie in them.
    let data: Range<Int>
  }

  private var blocks: [Block] = []
  private static let (iptc, iptcDigest) = (0x0404, 0x0425)

  init() {}

  /// Reads blocks.
  /// - Throws: `MetadataError`
  init(_ bytes: [UInt8]) throws(MetadataError) {
    var place = 0
    while place < bytes.count {
      // Signature, number, name with its length before it, size of the data; name and data padded to even lengths.
      guard place + 7 <= bytes.count,
        ["8BIM", "MeSa", "AgHg", "PHUT", "DCSR"].contains(where: { bytes.holds($0.utf8, at: place) })
      else {
        if bytes[place...].allSatisfy({ $0 == 0 }) { break }
        throw Self.refusal(place)
      }
      let name = 1 + Int(bytes[place + 6])
      let size = place + 6 + name + name % 2
      guard size + 4 <= bytes.count else { throw Self.refusal(place) }
      let data = size + 4..<size + 4 + bytes.big32(size)
      guard data.upperBound <= bytes.count else { throw Self.refusal(place) }
      let end = min(bytes.count, data.upperBound + data.count % 2)
      blocks.append(
        Block(
          number: bytes.big16(place + 4), bytes: Array(bytes[place..<end]),
          data: data.lowerBound - place..<data.upperBound - place))
      place = end
    }
  }

  private static func refusal(_ place: Int) -> MetadataError {
    MetadataError(
      "APP13", "byte \(place): expected an image resource of Photoshop's, found none that is whole")
  }

  /// All blocks.
  var bytes: [UInt8] { blocks.flatMap { $0.bytes + ($0.bytes.count % 2 == 0 ? [] : [0]) } }

  /// What IPTC says.
  /// - Throws: `MetadataError`
  var record: IPTCRecord {
    get throws(MetadataError) {
      try IPTCRecord(blocks.filter { $0.number == Self.iptc }.flatMap { $0.bytes[$0.data] })
    }
  }

  /// Takes IPTC in the place of what is there. A checksum of it (Photoshop's IPTCDigest) goes: it would say that another
  /// program changed IPTC alone, and readers would take its other fields before XMP's.
  mutating func set(_ record: IPTCRecord) {
    let place = blocks.firstIndex { $0.number == Self.iptc } ?? blocks.endIndex
    let before = blocks[..<place].filter { $0.number != Self.iptcDigest }
    let after = blocks[place...].filter { $0.number != Self.iptc && $0.number != Self.iptcDigest }
    let data = record.bytes
    let head = Array("8BIM".utf8) + bigEndian(Self.iptc, bytes: 2) + [0, 0] + bigEndian(data.count, bytes: 4)
    let block = Block(
      number: Self.iptc, bytes: head + data + (data.count % 2 == 0 ? [] : [0]),
      data: head.count..<head.count + data.count)
    blocks = before + [block] + after
  }
}
