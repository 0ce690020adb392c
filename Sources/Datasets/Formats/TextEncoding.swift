internal import Foundation
internal import Support

/// The encodings in which caption files come.
enum TextEncoding {
  /// A file's bytes as UTF-8; nil: they are. UTF-16 and UTF-32 are known by their byte order mark, UTF-16 by its zeros
  /// too. In other files every byte that is no UTF-8 becomes a character that stands for it, as in `FileName`: in a name
  /// it is a byte of the name, in a caption a letter of Windows-1252.
  static func utf8(of bytes: UnsafeRawBufferPointer) -> [UInt8]? {
    let start = Array(bytes.prefix(64))
    if start.starts(with: [0xFF, 0xFE, 0, 0]) || start.starts(with: [0, 0, 0xFE, 0xFF]) {
      return Array(utf32(bytes, isBigEndian: start[0] == 0).utf8.dropFirst(3))
    }
    let pairs = stride(from: 0, to: start.count - 1, by: 2)
    if start.starts(with: [0xFF, 0xFE]) || start.starts(with: [0xFE, 0xFF]) {
      return Array(utf16(bytes, isBigEndian: start[0] == 0xFE).utf8.dropFirst(3))
    }
    if start.count >= 4, pairs.allSatisfy({ start[$0] != 0 && start[$0 + 1] == 0 }) {
      return Array(utf16(bytes, isBigEndian: false).utf8)
    }
    if start.count >= 4, pairs.allSatisfy({ start[$0] == 0 && start[$0 + 1] != 0 }) {
      return Array(utf16(bytes, isBigEndian: true).utf8)
    }
    return isUTF8(bytes) ? nil : escaped(bytes)
  }

  /// A caption with letters of Windows-1252 for the bytes that were no UTF-8.
  static func repaired(_ caption: String) -> String? {
    guard caption.utf8.contains(0xF4),
      caption.unicodeScalars.contains(where: { FileName.byte(of: $0) != nil })
    else { return nil }
    return caption.unicodeScalars.map { scalar in
      FileName.byte(of: scalar).map { String(bytes: [$0], encoding: .windowsCP1252) ?? "\u{FFFD}" }
        ?? String(scalar)
    }.joined()
  }

  private static func utf16(_ bytes: UnsafeRawBufferPointer, isBigEndian: Bool) -> String {
    let units = stride(from: 0, to: bytes.count / 2 * 2, by: 2).lazy.map { place in
      let unit = bytes.loadUnaligned(fromByteOffset: place, as: UInt16.self)
      return isBigEndian ? UInt16(bigEndian: unit) : UInt16(littleEndian: unit)
    }
    return String(decoding: Array(units), as: UTF16.self)
  }

  private static func utf32(_ bytes: UnsafeRawBufferPointer, isBigEndian: Bool) -> String {
    var text = String.UnicodeScalarView()
    for place in stride(from: 0, to: bytes.count / 4 * 4, by: 4) {
      let unit = bytes.loadUnaligned(fromByteOffset: place, as: UInt32.self)
      text.append(
        Unicode.Scalar(isBigEndian ? UInt32(bigEndian: unit) : UInt32(littleEndian: unit)) ?? "\u{FFFD}")
    }
    return String(text)
  }

  private static func isUTF8(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var start = 0
    while start < bytes.count {
      // A piece ends before an ASCII character.
      var end = min(bytes.count, start + 1 << 20)
      while end < bytes.count, bytes[end] >= 0x80 { end += 1 }
      guard String(validating: bytes[start..<end], as: UTF8.self) != nil else { return false }
      start = end
    }
    return true
  }

  private static func escaped(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
    var text: [UInt8] = []
    text.reserveCapacity(bytes.count + bytes.count / 8)
    var place = 0
    while place < bytes.count {
      let byte = bytes[place]
      let length = byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4
      let end = min(bytes.count, place + length)
      if byte < 0x80 {
        text.append(byte)
        place += 1
      } else if let sequence = String(validating: bytes[place..<end], as: UTF8.self),
        sequence.unicodeScalars.count == 1
      {
        text += bytes[place..<end]
        place = end
      } else {
        text += FileName.text([byte]).utf8
        place += 1
      }
    }
    return text
  }
}
