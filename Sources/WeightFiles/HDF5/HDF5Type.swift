internal import Tensors

/// What an element of a dataset or an attribute is.
enum HDF5Type: Sendable, Equatable {
  case number(ScalarType, bigEndian: Bool)
  /// Text of a fixed number of bytes, padded by zeros or spaces.
  case text(size: Int, spaces: Bool)
  /// Text of any length, kept elsewhere.
  case variableText
  /// Anything else: its name, and how many bytes it has.
  case other(String, size: Int)

  /// Bytes of an element where it lies; of a text of any length, of what says where it is.
  func size(_ bytes: HDF5Bytes) -> Int {
    switch self {
    case .number(let type, _): type.size
    case .text(let size, _), .other(_, let size): size
    case .variableText: 8 + bytes.addressSize
    }
  }

  /// As NumPy says it: `float32`, of big-endian numbers `>f4`.
  var name: String {
    switch self {
    case .number(let type, bigEndian: true) where type.size > 1:
      ">\("\(type)".hasPrefix("float") ? "f" : "\(type)".hasPrefix("u") ? "u" : "i")\(type.size)"
    case .number(let type, _): "\(type)"
    case .text(let size, _): "S\(size)"
    case .variableText: "text"
    case .other(let name, _): name
    }
  }

  /// Reads a datatype message.
  init(_ cursor: inout HDF5Cursor) throws(WeightFileError) {
    self = try Self.read(&cursor, isInside: false)
  }

  private static let classes = [
    "integer", "float", "time", "text", "bit field", "opaque", "compound", "reference", "enumeration",
    "variable-length list", "array", "complex number",
  ]

  private static func read(_ cursor: inout HDF5Cursor, isInside: Bool) throws(WeightFileError) -> HDF5Type {
    let first = try cursor.byte("datatype")
    let bits = try cursor.number("the datatype's bits", size: 3)
    let size = try cursor.number("the datatype's size", size: 4)
    let kind = first & 0x0F
    let name = kind < classes.count ? classes[kind] : "type of class \(kind)"
    guard size > 0 else { throw cursor.malformed("a datatype of at least a byte", "0") }
    switch kind {
    case 0:
      let offset = try cursor.number("the integer's offset", size: 2)
      let precision = try cursor.number("the integer's precision", size: 2)
      guard offset == 0, precision == 8 * size,
        let type = integer(size: size, isSigned: bits & 8 != 0)
      else { return .other("\(precision)-bit integer", size: size) }
      return .number(type, bigEndian: bits & 1 != 0)
    case 1:
      let offset = try cursor.number("the float's offset", size: 2)
      _ = try cursor.number("the float's precision", size: 2)
      let form = try cursor.unsigned("the float's parts", size: 4)
      let bias = try cursor.number("the float's bias", size: 4)
      let sign = bits >> 8 & 0xFF
      // Bit 6 with bit 0: VAX.
      guard offset == 0, bits & 0x40 == 0, sign == 8 * size - 1,
        let type = float(size: size, form: form, bias: bias)
      else { return .other("float that is not IEEE's", size: size) }
      return .number(type, bigEndian: bits & 1 != 0)
    case 3: return .text(size: size, spaces: bits & 0x0F == 2)
    // Named numbers, such as NumPy's bool.
    case 8 where !isInside:
      guard case .number(let type, let order) = try read(&cursor, isInside: true), type.size == size else {
        return .other(name, size: size)
      }
      return .number(type, bigEndian: order)
    case 9 where bits & 0x0F == 1 && size == 8 + cursor.bytes.addressSize: return .variableText
    default: return .other(name, size: size)
    }
  }

  private static func integer(size: Int, isSigned: Bool) -> ScalarType? {
    switch (size, isSigned) {
    case (1, true): .int8
    case (1, false): .uint8
    case (2, true): .int16
    case (2, false): .uint16
    case (4, true): .int32
    case (4, false): .uint32
    case (8, true): .int64
    case (8, false): .uint64
    default: nil
    }
  }

  /// - Parameter form: place and size of exponent and mantissa, a byte each.
  private static func float(size: Int, form: UInt64, bias: Int) -> ScalarType? {
    switch (size, form, bias) {
    case (2, 0x0A00_050A, 15): .float16
    case (2, 0x0700_0807, 127): .bfloat16
    case (4, 0x1700_0817, 127): .float32
    case (8, 0x3400_0B34, 1023): .float64
    default: nil
    }
  }
}

/// How many elements there are: the extents of a dataset or an attribute.
enum HDF5Dataspace {
  /// Reads a dataspace message; one without any elements is [0].
  static func read(_ cursor: inout HDF5Cursor) throws(WeightFileError) -> Shape {
    let version = try cursor.byte("the dataspace's version")
    guard version == 1 || version == 2 else {
      throw cursor.malformed("a dataspace of version 1 or 2", "\(version)")
    }
    let rank = try cursor.byte("rank")
    guard rank <= 32 else { throw cursor.malformed("a rank up to 32", "\(rank)") }
    _ = try cursor.byte("flags")
    let kind = try cursor.byte("kind")
    if version == 1 { try cursor.skip(4, "dataspace") }
    if version == 2 && kind == 2 { return [0] }
    var extents: [Int] = []
    var count = 1
    for _ in 0..<rank {
      let extent = try cursor.length("extent")
      let (product, overflows) = count.multipliedReportingOverflow(by: max(1, extent))
      guard !overflows, product <= 1 << 52 else {
        throw cursor.malformed("fewer than 2⁵² elements", "\(extents + [extent])")
      }
      count = product
      extents.append(extent)
    }
    return Shape(extents)
  }
}
