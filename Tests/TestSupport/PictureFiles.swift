/// Picture files made by code: small on disk, huge when decoded.
public enum PictureFiles {
  /// A black grey-scale PNG of one bit a pixel, compressed as far as deflate goes.
  /// - Parameters:
  ///   - orientation: the EXIF orientation it claims.
  ///   - texts: compressed text chunks before the pixels, and the bytes that each becomes.
  public static func blackPNG(
    width: Int, height: Int, orientation: UInt8? = nil, texts: (count: Int, size: Int)? = nil
  )
    -> [UInt8]
  {
    var file: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
    file += chunk("IHDR", big(width) + big(height) + [1, 0, 0, 0, 0])
    if let orientation {
      let tag: [UInt8] = [0x12, 0x01, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0]
      file += chunk("eXIf", Array("II*".utf8) + [0, 8, 0, 0, 0, 1, 0] + tag + [0, 0, 0, 0])
    }
    if let texts {
      let text = chunk("zTXt", Array("k".utf8) + [0, 0] + zeros(texts.size))
      for _ in 0..<texts.count { file += text }
    }
    return file + chunk("IDAT", zeros(height * (1 + (width + 7) / 8))) + chunk("IEND", [])
  }

  /// A chunk of a PNG, with its checksum.
  public static func chunk(_ kind: String, _ content: [UInt8]) -> [UInt8] {
    let body = Array(kind.utf8) + content
    var crc: UInt32 = .max
    for byte in body {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
    }
    return big(content.count) + body + big(Int(~crc))
  }

  private static func big(_ value: Int) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) }
  }

  /// A zlib stream of `count` zeros: one literal, then matches of 258 in two bits each.
  private static func zeros(_ count: Int) -> [UInt8] {
    var bits = Bits()
    bits.number(1, 1)  // the last block,
    bits.number(2, 2)  // with codes of its own:
    bits.number(29, 5)  // 286 literals and lengths,
    bits.number(0, 5)  // one distance,
    bits.number(14, 4)  // and 18 lengths of code lengths, of which 18 has one bit, 1 and 2 have two.
    for length in [0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 2] { bits.number(length, 3) }
    bits.code("11")  // literal 0: two bits
    bits.code("0")
    bits.number(138 - 11, 7)
    bits.code("0")
    bits.number(117 - 11, 7)
    bits.code("11")  // the end, 256: two bits
    bits.code("0")
    bits.number(28 - 11, 7)
    bits.code("10")  // length 258, 285: one bit
    bits.code("10")  // distance 1: one bit
    bits.code("10")
    for _ in 0..<(count - 1) / 258 { bits.code("00") }
    for _ in 0..<(count - 1) % 258 { bits.code("10") }
    bits.code("11")
    return [0x78, 0xDA] + bits.bytes + big((count % 65521) << 16 | 1)
  }

  private struct Bits {
    var bytes: [UInt8] = []
    private var used = 8

    mutating func bit(_ bit: Bool) {
      if used == 8 {
        bytes.append(0)
        used = 0
      }
      if bit { bytes[bytes.count - 1] |= 1 << UInt8(used) }
      used += 1
    }
    mutating func number(_ value: Int, _ width: Int) { for k in 0..<width { bit(value >> k & 1 == 1) } }
    mutating func code(_ code: String) { for character in code.utf8 { bit(character == 0x31) } }
  }

  /// A grey JPEG of three full components: a bit a block, progressive or baseline.
  public static func greyJPEG(width: Int, height: Int, progressive: Bool) -> [UInt8] {
    func segment(_ marker: UInt8, _ content: [UInt8]) -> [UInt8] {
      [0xFF, marker] + big(content.count + 2).suffix(2) + content
    }
    let size = Array(big(height).suffix(2) + big(width).suffix(2))
    let components: [UInt8] = [1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0]
    // One code, of one bit: the difference of a block's mean is 0, and (AC) the block ends.
    let table: [UInt8] = [1] + [UInt8](repeating: 0, count: 15) + [0]
    var file: [UInt8] = [0xFF, 0xD8]
    file += segment(0xDB, [0] + [UInt8](repeating: 1, count: 64))
    file += segment(progressive ? 0xC2 : 0xC0, [8] + size + [3] + components)
    file += segment(0xC4, [0x00] + table)
    file += segment(0xC4, [0x10] + table)
    file += segment(0xDA, [3, 1, 0, 2, 0, 3, 0, 0, progressive ? 0 : 63, 0])
    let blocks = ((width + 7) / 8) * ((height + 7) / 8) * 3
    return file + [UInt8](repeating: 0, count: (blocks * (progressive ? 1 : 2) + 7) / 8) + [0xFF, 0xD9]
  }
}
