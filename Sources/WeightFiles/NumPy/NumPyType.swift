/// A number type of NumPy: `<f4`, `|u1`, `>i8`.
struct NumPyType: CustomStringConvertible {
  /// Kind and bytes, `f4`.
  let code: String
  private(set) var isBigEndian = false

  /// Of a code with its order of bytes before it or without.
  init(code: String) {
    let first = code.first.map { "<>=|".contains($0) } ?? false
    self.code = String(first ? code.dropFirst() : code[...])
    isBigEndian = code.first == ">"
  }

  /// `<`, `>`, `|` or `=`.
  mutating func setOrder(_ order: String) { isBigEndian = order == ">" }

  /// The kind of number; nil: it is none, or none that weights are.
  var scalar: ScalarType? {
    switch code {
    case "f8": .float64
    case "f4": .float32
    case "f2": .float16
    case "i8": .int64
    case "i4": .int32
    case "i2": .int16
    case "i1": .int8
    case "u8": .uint64
    case "u4": .uint32
    case "u2": .uint16
    case "u1", "b1", "?": .uint8
    default: nil
    }
  }

  var isBool: Bool { code == "b1" || code == "?" }

  var description: String { (scalar?.size == 1 ? "|" : isBigEndian ? ">" : "<") + code }
}
