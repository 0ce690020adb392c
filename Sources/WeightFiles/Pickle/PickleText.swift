/// Texts and numbers as pickles write them.
enum PickleText {
  /// A `str` of Python 2 as source code has it: in quotes, with escapes; nil: not one.
  static func bytes(ofLiteral literal: Slice<UnsafeRawBufferPointer>) -> [UInt8]? {
    var literal = literal[...]
    while let last = literal.last, last == 0x20 || last == 0x0D { literal = literal.dropLast() }
    guard let quote = literal.first, quote == 0x27 || quote == 0x22, literal.count >= 2, literal.last == quote
    else { return nil }
    literal = literal.dropFirst().dropLast()
    var bytes: [UInt8] = []
    bytes.reserveCapacity(literal.count)
    var place = literal.startIndex
    while place < literal.endIndex {
      let byte = literal[place]
      place += 1
      guard byte == 0x5C else {
        bytes.append(byte)
        continue
      }
      guard place < literal.endIndex else { return nil }
      let escape = literal[place]
      place += 1
      switch escape {
      case UInt8(ascii: "n"): bytes.append(0x0A)
      case UInt8(ascii: "r"): bytes.append(0x0D)
      case UInt8(ascii: "t"): bytes.append(0x09)
      case UInt8(ascii: "a"): bytes.append(0x07)
      case UInt8(ascii: "b"): bytes.append(0x08)
      case UInt8(ascii: "f"): bytes.append(0x0C)
      case UInt8(ascii: "v"): bytes.append(0x0B)
      case 0x5C, 0x27, 0x22: bytes.append(escape)
      case UInt8(ascii: "x"):
        guard let value = digits(literal, &place, count: 2, radix: 16) else { return nil }
        bytes.append(UInt8(truncatingIfNeeded: value))
      case UInt8(ascii: "0")...UInt8(ascii: "7"):
        place -= 1
        var value = 0
        var count = 0
        while count < 3, place < literal.endIndex, (0x30...0x37).contains(literal[place]) {
          value = value * 8 + Int(literal[place] - 0x30)
          place += 1
          count += 1
        }
        bytes.append(UInt8(truncatingIfNeeded: value))
      default: bytes += [0x5C, escape]
      }
    }
    return bytes
  }

  /// Text in Latin-1 with `\uXXXX` for what that lacks.
  static func string(ofEscaped text: Slice<UnsafeRawBufferPointer>) -> String {
    var units: [UInt16] = []
    units.reserveCapacity(text.count)
    var place = text.startIndex
    while place < text.endIndex {
      let byte = text[place]
      place += 1
      guard byte == 0x5C, place < text.endIndex, [0x75, 0x55].contains(text[place]) else {
        units.append(UInt16(byte))
        continue
      }
      let count = text[place] == 0x75 ? 4 : 8
      var after = place + 1
      if let value = digits(text, &after, count: count, radix: 16), let scalar = UInt32(exactly: value) {
        place = after
        if let whole = UInt16(exactly: scalar) {
          units.append(whole)
        } else {
          units += Array((Unicode.Scalar(scalar) ?? "\u{FFFD}").utf16)
        }
      } else {
        units.append(UInt16(byte))
      }
    }
    return String(decoding: units, as: UTF16.self)
  }

  private static func digits(
    _ text: Slice<UnsafeRawBufferPointer>, _ place: inout Int, count: Int, radix: Int
  ) -> Int? {
    guard text.endIndex - place >= count else { return nil }
    var value = 0
    for byte in text[place..<place + count] {
      guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { return nil }
      value = value * radix + digit
    }
    place += count
    return value
  }

  /// An integer in two's complement, lowest byte first; a large one as a float.
  static func integer(_ bytes: Slice<UnsafeRawBufferPointer>) -> PickleReader.Node {
    if bytes.count <= 8 {
      let isNegative = (bytes.last ?? 0) & 0x80 != 0
      var value: UInt64 = isNegative ? .max : 0
      for (index, byte) in bytes.enumerated() {
        let shift = UInt64(8 * index)
        value = value & ~(0xFF << shift) | UInt64(byte) << shift
      }
      return .integer(Int(Int64(bitPattern: value)))
    }
    // All but the highest byte count up from below.
    var value = 0.0
    for byte in bytes.dropLast() { value = value / 256 + Double(byte) / 256 }
    value += Double(Int8(bitPattern: bytes.last ?? 0))
    return .double(value * .exp256(bytes.count - 1))
  }
}

extension Double {
  /// 256 to a power; infinite where that is too large.
  fileprivate static func exp256(_ power: Int) -> Double {
    power > 127 ? .infinity : Double(sign: .plus, exponent: 8 * power, significand: 1)
  }
}
