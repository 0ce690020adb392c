/// File names are bytes, texts are Unicode. A name that is no UTF-8 is kept in a String all the same: each byte that
/// does not belong stands as one of the last 128 private characters, U+10FF80 for 0x80 to U+10FFFF for 0xFF. So do
/// the bytes of those characters themselves, so that every name comes back byte for byte.
public enum FileName {
  static let escapes: ClosedRange<UInt32> = 0x10FF80...0x10FFFF

  /// The byte that a character stands for; nil: it is itself.
  public static func byte(of scalar: Unicode.Scalar) -> UInt8? {
    escapes.contains(scalar.value) ? UInt8(scalar.value - 0x10FF00) : nil
  }

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

  /// The folder of a path with the slash behind it, or nothing, and the name in it. By bytes: to `Character` a slash and an
  /// accent that the name begins with are one.
  public static func split(_ path: String) -> (folder: String, name: String) {
    let scalars = path.unicodeScalars
    guard let slash = scalars.lastIndex(of: "/") else { return ("", path) }
    return (String(scalars[...slash]), String(scalars[scalars.index(after: slash)...]))
  }

  /// The name as the system takes it.
  public static func path(_ text: String) -> [CChar] { bytes(text).map { CChar(bitPattern: $0) } + [0] }
}
