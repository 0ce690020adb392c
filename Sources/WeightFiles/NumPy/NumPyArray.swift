internal import Support
internal import Tensors

/// The head of an array as NumPy saves it (`.npy`, versions 1 to 3): a number type, an order and a shape, as a literal of
/// Python.
struct NumPyArray {
  static let signature: [UInt8] = [0x93] + Array("NUMPY".utf8)
  /// The longest head that is read; only records need more than a few hundred bytes.
  static let longestHead = 1 << 16

  let type: NumPyType
  let scalar: ScalarType
  let extents: [Int]
  let columnsFirst: Bool
  /// Bytes of the head.
  let length: Int

  /// Reads the head; `reader` is behind it then.
  init(_ reader: inout ByteReader) throws(WeightFileError) {
    let start = reader.place
    let signature = try reader.range(Self.signature.count, of: "NumPy's signature")
    guard reader.bytes[signature].elementsEqual(Self.signature) else {
      throw reader.malformed("an array of NumPy", "another signature", at: start)
    }
    let major = try reader.integer("a version", as: UInt8.self)
    try reader.skip(1, of: "a version")
    guard 1...3 ~= major else {
      throw reader.malformed("version 1, 2 or 3 of NumPy's files", "\(major)", at: start)
    }
    let count =
      major == 1
      ? Int(try reader.integer("a header's length", as: UInt16.self))
      : Int(try reader.integer("a header's length", as: UInt32.self))
    let place = reader.place
    guard count <= Self.longestHead else {
      throw reader.malformed("a header of at most \(Self.longestHead) bytes", "\(count)", at: place)
    }
    var literal = PythonLiteral(try reader.text(count, of: "a header"))
    func malformed(_ expected: String) -> WeightFileError {
      reader.malformed(expected, "\(String(literal.rest.prefix(40)))", at: place)
    }
    guard case .dictionary(let fields)? = literal.value(), literal.isAtEnd else {
      throw malformed("a dictionary of descr, fortran_order and shape")
    }
    guard case .string(let code)? = fields["descr"] else {
      throw reader.malformed(
        "descr of one number type", fields["descr"] == nil ? "none" : "records", at: place)
    }
    guard case .bool(let order)? = fields["fortran_order"] else {
      throw reader.malformed("fortran_order of True or False", "something else", at: place)
    }
    guard case .tuple(let sizes)? = fields["shape"], sizes.count <= 32 else {
      throw reader.malformed("a shape of at most 32 extents", "something else", at: place)
    }
    var extents: [Int] = []
    for size in sizes {
      guard case .integer(let extent) = size, extent >= 0 else {
        throw reader.malformed("extents of a shape", "something else", at: place)
      }
      extents.append(extent)
    }
    type = NumPyType(code: code)
    guard let scalar = type.scalar else {
      // Objects are pickles within the file.
      if type.code.hasPrefix("O") {
        throw .refused(
          path: reader.path, place: "byte \(place)",
          reason: "refused: an array of Python objects, not of numbers")
      }
      throw reader.malformed("numbers", "an array of \(String(code.prefix(40)))", at: place)
    }
    self.scalar = scalar
    self.extents = extents
    columnsFirst = order
    length = reader.place - start
  }

  /// The shape, and whether so many numbers are in bytes of a file behind the head.
  func numbers(_ file: MappedFile, _ range: Range<Int>) throws(WeightFileError) -> StridedNumbers {
    do {
      return try StridedNumbers(
        .file(file), range, type: scalar, bigEndian: type.isBigEndian, extents: extents,
        strides: columnsFirst ? StridedNumbers.columnsFirst(extents) : nil)
    } catch {
      throw .malformed(
        path: file.path, place: "byte \(range.lowerBound)", expected: error.expected, found: error.found)
    }
  }
}

/// Reads a literal of Python: what may be in the head of NumPy's arrays.
struct PythonLiteral {
  enum Value: Equatable {
    case string(String)
    case integer(Int)
    case bool(Bool)
    case tuple([Value])
    case dictionary([String: Value])
  }

  private(set) var rest: Substring
  private var depth = 0

  init(_ text: String) { rest = text[...] }

  /// Whether nothing but space follows.
  var isAtEnd: Bool { rest.allSatisfy(\.isWhitespace) }

  private mutating func take(_ character: Character) -> Bool {
    rest = rest.drop(while: \.isWhitespace)
    guard rest.first == character else { return false }
    rest.removeFirst()
    return true
  }

  /// The next value; nil: none that is known.
  mutating func value() -> Value? {
    guard depth < 8 else { return nil }
    depth += 1
    defer { depth -= 1 }
    if take("'") { return text("'").map(Value.string) }
    if take("\"") { return text("\"").map(Value.string) }
    if take("(") { return items(")").map(Value.tuple) }
    if take("[") { return items("]").map(Value.tuple) }
    if take("{") {
      var fields: [String: Value] = [:]
      while !take("}") {
        guard case .string(let key)? = value(), take(":"), let item = value() else { return nil }
        fields[key] = item
        guard take(",") || rest.drop(while: \.isWhitespace).first == "}" else { return nil }
      }
      return .dictionary(fields)
    }
    let word = rest.prefix { $0.isLetter || $0.isNumber || $0 == "-" }
    rest.removeFirst(word.count)
    switch word {
    case "True": return .bool(true)
    case "False": return .bool(false)
    // Python 2 writes 3L.
    default: return Int(word.last == "L" ? word.dropLast() : word).map(Value.integer)
    }
  }

  private mutating func text(_ quote: Character) -> String? {
    let text = rest.prefix { $0 != quote && $0 != "\\" }
    rest.removeFirst(text.count)
    return take(quote) ? String(text) : nil
  }

  private mutating func items(_ end: Character) -> [Value]? {
    var items: [Value] = []
    while !take(end) {
      guard let item = value() else { return nil }
      items.append(item)
      guard take(",") || rest.drop(while: \.isWhitespace).first == end else { return nil }
    }
    return items
  }
}
