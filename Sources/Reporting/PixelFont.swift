internal import Foundation

/// Letters of 9 × 15 pixels, Latin, Greek and Cyrillic, for pictures that must need no font and no library: X11's 9x15,
/// which is in the public domain.
enum PixelFont {
  /// Of a letter, in pixels.
  static let (width, height) = (9, 15)

  /// A letter's pixels.
  struct Glyph: Sendable {
    /// 17 bytes, of which the last width·height bits are the pixels, row by row.
    fileprivate let bits: [UInt8]

    /// Whether there is ink.
    subscript(row: Int, column: Int) -> Bool {
      let bit = bits.count * 8 - PixelFont.width * PixelFont.height + row * PixelFont.width + column
      return bits[bit / 8] >> UInt8(7 - bit % 8) & 1 == 1
    }
  }

  /// The pixels of a character; of one that the font lacks those of a replacement.
  static func glyph(of character: Character) -> Glyph {
    let composed = String(character).precomposedStringWithCanonicalMapping.unicodeScalars
    return composed.count == 1 ? glyphs[composed.first!] ?? replacement : replacement
  }

  private static let glyphs: [Unicode.Scalar: Glyph] = {
    let bytes = [UInt8](Data(base64Encoded: packed) ?? Data())
    let size = 2 + (width * height + 7) / 8
    var glyphs: [Unicode.Scalar: Glyph] = [:]
    for start in stride(from: 0, to: bytes.count - size + 1, by: size) {
      let point = UInt32(bytes[start]) << 8 | UInt32(bytes[start + 1])
      guard let scalar = Unicode.Scalar(point) else { continue }
      glyphs[scalar] = Glyph(bits: Array(bytes[start + 2..<start + size]))
    }
    return glyphs
  }()

  /// An empty box.
  private static let replacement: Glyph = {
    var bits = [UInt8](repeating: 0, count: (width * height + 7) / 8)
    for row in 2..<height - 3 {
      for column in 1..<width - 1 where [2, height - 4].contains(row) || [1, width - 2].contains(column) {
        let bit = bits.count * 8 - width * height + row * width + column
        bits[bit / 8] |= 1 << UInt8(7 - bit % 8)
      }
    }
    return Glyph(bits: bits)
  }()
}
