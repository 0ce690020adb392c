internal import Support

/// An array of texts as NumPy saves it: `<U12`, four bytes a character, or `|S12`, one.
struct NumPyTexts {
  /// How many they are, and the bytes of each.
  let count, size: Int
  private let isWide, isBigEndian: Bool
  /// Bytes of the head.
  let length: Int

  /// Reads the head of an array; nil: it is not one of texts along one dimension.
  init?(head bytes: [UInt8]) {
    guard bytes.count >= 12, bytes.starts(with: NumPyArray.signature) else { return nil }
    let start = bytes[6] == 1 ? 10 : 12
    let size = bytes[8..<start].reversed().reduce(0) { $0 << 8 | Int($1) }
    guard size <= NumPyArray.longestHead, bytes.count >= start + size else { return nil }
    var literal = PythonLiteral(String(decoding: bytes[start..<start + size], as: UTF8.self))
    guard case .dictionary(let fields)? = literal.value(), case .string(let code)? = fields["descr"],
      case .tuple(let extents)? = fields["shape"], extents.count == 1,
      case .integer(let count) = extents[0], count >= 0
    else { return nil }
    let type = NumPyType(code: code)
    guard let kind = type.code.first, "US".contains(kind), let characters = Int(type.code.dropFirst()),
      1...1 << 16 ~= characters
    else { return nil }
    isWide = kind == "U"
    isBigEndian = type.isBigEndian
    self.count = count
    self.size = characters * (isWide ? 4 : 1)
    length = start + size
  }

  /// The texts in the bytes behind the head; nil: there are fewer.
  func read(_ bytes: UnsafeRawBufferPointer) -> [String]? {
    guard count <= bytes.count / size else { return nil }
    return (0..<count).map { index in
      let text = UnsafeRawBufferPointer(rebasing: bytes[index * size..<(index + 1) * size])
      guard isWide else { return String(decoding: text.prefix { $0 != 0 }, as: UTF8.self) }
      var scalars = String.UnicodeScalarView()
      for place in stride(from: 0, to: size, by: 4) {
        let code = text.loadUnaligned(fromByteOffset: place, as: UInt32.self)
        let value = isBigEndian ? UInt32(bigEndian: code) : UInt32(littleEndian: code)
        if value == 0 { break }
        scalars.append(Unicode.Scalar(value) ?? "\u{FFFD}")
      }
      return String(scalars)
    }
  }
}
