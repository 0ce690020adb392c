/// File names are bytes, texts are Unicode. A name that is no UTF-8 is kept in a String all the same: each byte that
/// does not belong stands as one of the last 128 private characters, U+10FF80 for 0x80 to U+10FFFF for 0xFF. So do
/// the bytes of those characters themselves, so that every name comes back byte for byte.
public enum FileName {
  private static let escapes: ClosedRange<UInt32> = 0x10FF80...0x10FFFF

  /// The text that stands for a name.
  public static func text(_ bytes: some Collection<UInt8>) -> String {
    let plain = String(decoding: bytes, as: UTF8.self)
    // Nothing was repaired, and nothing looks like an escape: by far the usual case.
    if plain.utf8.elementsEqual(bytes), !plain.unicodeScalars.contains(where: { escapes.contains($0.value) })
    {
      return plain
    }
    var text = String.UnicodeScalarView()
    let all = Array(bytes)
    var at = 0
    while at < all.count {
      let length = min(lengthOfSequence(all[at]), all.count - at)
      let sequence = String(decoding: all[at..<at + length], as: UTF8.self)
      let scalars = sequence.unicodeScalars
      if scalars.count == 1, let scalar = scalars.first, sequence.utf8.elementsEqual(all[at..<at + length]),
        !escapes.contains(scalar.value)
      {
        text.append(scalar)
        at += length
      } else {
        text.append(Unicode.Scalar(0x10FF00 + UInt32(all[at]))!)
        at += 1
      }
    }
    return String(text)
  }

  private static func lengthOfSequence(_ first: UInt8) -> Int {
    switch first {
    case 0xF0...: 4
    case 0xE0...: 3
    case 0xC0...: 2
    default: 1
    }
  }

  /// The bytes of the name that a text stands for.
  public static func bytes(_ text: String) -> [UInt8] {
    guard text.unicodeScalars.contains(where: { escapes.contains($0.value) }) else { return Array(text.utf8) }
    var bytes: [UInt8] = []
    for scalar in text.unicodeScalars {
      if escapes.contains(scalar.value) {
        bytes.append(UInt8(scalar.value - 0x10FF00))
      } else {
        bytes += UTF8.encode(scalar)!
      }
    }
    return bytes
  }

  /// The name as the system takes it.
  static func path(_ text: String) -> [CChar] { bytes(text).map { CChar(bitPattern: $0) } + [0] }

  /// Text for people's terminals: controls, and what turns the direction of writing, as `\u{1B}`; bytes that are no
  /// text as `\xFF`.
  public static func printable(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: isUnprintable) else { return text }
    var printable = ""
    for scalar in text.unicodeScalars {
      if escapes.contains(scalar.value) {
        printable += "\\x" + String(scalar.value - 0x10FF00, radix: 16, uppercase: true)
      } else if isUnprintable(scalar) {
        printable += "\\u{" + String(scalar.value, radix: 16, uppercase: true) + "}"
      } else {
        printable.unicodeScalars.append(scalar)
      }
    }
    return printable
  }

  private static func isUnprintable(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0..<0x20, 0x7F..<0xA0, 0x61C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069, escapes: true
    default: false
    }
  }
}
