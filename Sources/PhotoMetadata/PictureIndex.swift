/// The index of CIPA's Multi-Picture Format: how large the pictures of a file are, and where.
struct PictureIndex {
  /// Its bytes, as TIFF has them.
  private(set) var bytes: [UInt8]
  private let isBigEndian: Bool
  /// Where its entries begin, 16 bytes each: attributes, size, offset, and others they depend on.
  private var entries: [Int] = []

  /// Reads an index.
  /// - Throws: `MetadataError`
  init(_ bytes: [UInt8]) throws(MetadataError) {
    self.bytes = bytes
    isBigEndian = bytes.starts(with: "MM".utf8)
    let directory = number(4, 4) ?? -1
    guard let count = number(directory, 2) else { throw Self.refusal }
    for field in 0..<count {
      let place = directory + 2 + 12 * field
      guard let tag = number(place, 2), let size = number(place + 4, 4), let start = number(place + 8, 4)
      else {
        throw Self.refusal
      }
      guard tag == 0xB002 else { continue }
      guard size % 16 == 0, start + size <= bytes.count else { throw Self.refusal }
      entries = Array(stride(from: start, to: start + size, by: 16))
    }
  }

  /// The first picture, which the file begins with, becomes larger; the others move.
  /// - Throws: `MetadataError` where they would come to lie where no number leads.
  mutating func move(first growth: Int, others distance: Int) throws(MetadataError) {
    for entry in entries {
      guard let size = number(entry + 4, 4), let offset = number(entry + 8, 4) else { throw Self.refusal }
      if offset == 0 {
        try set(entry + 4, size + growth)
      } else {
        try set(entry + 8, offset + distance)
      }
    }
  }

  private static let refusal = MetadataError("JPEG", "its index of further pictures (MPF) makes no sense")

  private func number(_ place: Int, _ count: Int) -> Int? {
    guard place >= 0, place + count <= bytes.count else { return nil }
    let digits = bytes[place..<place + count]
    return isBigEndian
      ? digits.reduce(0) { $0 << 8 | Int($1) } : digits.reversed().reduce(0) { $0 << 8 | Int($1) }
  }

  private mutating func set(_ place: Int, _ value: Int) throws(MetadataError) {
    guard let value = UInt32(exactly: value) else { throw Self.refusal }
    let digits = bigEndian(Int(value), bytes: 4)
    bytes.replaceSubrange(place..<place + 4, with: isBigEndian ? digits : digits.reversed())
  }
}
