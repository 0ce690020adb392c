internal import Support

/// Reads a message of Protocol Buffers field by field (https://protobuf.dev/programming-guides/encoding).
///
/// Our own: of the two schemas that are read here, Caffe's and ONNX's, about thirty fields count, and code that a compiler
/// makes of them would be thousands of lines beside a library. A message within a message is a range of bytes, for another
/// reader; nothing is copied.
struct ProtobufReader {
  /// What a field holds.
  enum Value: Equatable {
    /// Integers, truth values and enumerations.
    case varint(UInt64)
    /// Eight bytes: `double`, `fixed64`.
    case fixed64(UInt64)
    /// Texts, bytes, messages, and numbers that are packed.
    case bytes(Range<Int>)
    /// Four bytes: `float`, `fixed32`.
    case fixed32(UInt32)
  }

  /// One field.
  struct Field: Equatable {
    /// Its number in the schema.
    let number: Int
    let value: Value
    /// Where in the file it begins.
    let place: Int
  }

  /// The deepest groups that are passed over.
  private static let deepestGroup = 32
  /// The file, and where in it the whole message is.
  let file: MappedFile
  let range: Range<Int>
  private var reader: ByteReader

  /// The message in a range of the file; in all of it unless given.
  init(_ file: MappedFile, _ range: Range<Int>? = nil) {
    self.file = file
    self.range = range ?? 0..<file.bytes.count
    reader = ByteReader(file, range)
  }

  /// A message within this one.
  func message(_ range: Range<Int>) -> ProtobufReader { ProtobufReader(file, range) }

  /// What is wrong with a field.
  func malformed(_ expected: String, _ found: String, at place: Int) -> WeightFileError {
    reader.malformed(expected, found, at: place)
  }

  /// The next field; nil at the end. Groups, which nobody writes any more, are passed over.
  mutating func next() throws(WeightFileError) -> Field? {
    var groups: [UInt64] = []
    while true {
      let place = reader.place
      guard reader.left > 0 else {
        guard groups.isEmpty else {
          throw malformed("the end of group \(groups[groups.count - 1])", "that of the message", at: place)
        }
        return nil
      }
      let key = try varint("a field's number")
      let number = key >> 3
      guard (1...0x1FFF_FFFF).contains(number) else {
        throw malformed("a field's number, 1 to 536870911", "\(number)", at: place)
      }
      let value: Value
      switch key & 7 {
      case 0: value = .varint(try varint("field \(number)"))
      case 1: value = .fixed64(try reader.integer("field \(number)"))
      case 2:
        let count = try varint("the length of field \(number)")
        guard count <= UInt64(reader.left) else {
          throw malformed("field \(number) within the \(reader.left) bytes left", "\(count) bytes", at: place)
        }
        value = .bytes(try reader.range(Int(count), of: "field \(number)"))
      case 3:
        guard groups.count < Self.deepestGroup else {
          throw malformed("groups \(Self.deepestGroup) deep at most", "deeper ones", at: place)
        }
        groups.append(number)
        continue
      case 4:
        guard groups.popLast() == number else {
          throw malformed("the end of a group that was begun", "that of \(number)", at: place)
        }
        continue
      case 5: value = .fixed32(try reader.integer("field \(number)"))
      default: throw malformed("a wire type, 0 to 5", "\(key & 7)", at: place)
      }
      if groups.isEmpty { return Field(number: Int(number), value: value, place: place) }
    }
  }

  /// Calls `body` with each field in order.
  mutating func forEachField(_ body: (Field) throws(WeightFileError) -> Void) throws(WeightFileError) {
    while let field = try next() { try body(field) }
  }

  /// The next number of 7 bits a byte, ten bytes at most.
  mutating func varint(_ what: String) throws(WeightFileError) -> UInt64 {
    let place = reader.place
    var value: UInt64 = 0
    for shift in stride(from: 0, to: 70, by: 7) {
      let byte: UInt8 = try reader.integer(what)
      // Of the tenth only the lowest bit has room.
      value |= UInt64(byte & 0x7F) << UInt64(shift)
      if byte < 0x80 {
        guard shift < 63 || byte < 2 else { break }
        return value
      }
    }
    throw malformed("\(what) of 64 bits", "more", at: place)
  }

  /// Bytes that are left.
  var left: Int { reader.left }
  /// The path that the file was opened by.
  var path: String { file.path }
  /// Where the next byte is.
  var place: Int { reader.place }
  /// The file's bytes.
  var bytes: UnsafeRawBufferPointer { reader.bytes }

  // MARK: What a field should be

  /// A field's integer.
  func integer(_ field: Field, _ what: String) throws(WeightFileError) -> Int64 {
    guard case .varint(let bits) = field.value else { throw mismatch(field, "a number", what) }
    return Int64(bitPattern: bits)
  }

  /// Where a field's message, text or bytes are.
  func range(_ field: Field, _ what: String) throws(WeightFileError) -> Range<Int> {
    guard case .bytes(let range) = field.value else { throw mismatch(field, "bytes", what) }
    return range
  }

  /// A field's text of at most `longest` bytes; what is no UTF-8 becomes U+FFFD.
  func text(_ field: Field, _ what: String, longest: Int) throws(WeightFileError) -> String {
    let range = try self.range(field, what)
    guard range.count <= longest else {
      throw malformed("\(what) of \(longest) bytes at most", "\(range.count)", at: field.place)
    }
    return String(decoding: file.bytes[range], as: UTF8.self)
  }

  /// The integers of a repeated field, one or packed, of which there may be `most`.
  func append(
    _ field: Field, _ what: String, to numbers: inout [Int], most: Int
  ) throws(WeightFileError) {
    func add(_ bits: UInt64) throws(WeightFileError) {
      guard numbers.count < most else {
        throw malformed("\(most) of \(what) at most", "more", at: field.place)
      }
      numbers.append(Int(Int64(bitPattern: bits)))
    }
    switch field.value {
    case .varint(let bits): try add(bits)
    case .bytes(let range):
      var packed = message(range)
      while packed.left > 0 { try add(packed.varint(what)) }
    default: throw mismatch(field, "numbers", what)
    }
  }

  func mismatch(_ field: Field, _ kind: String, _ what: String) -> WeightFileError {
    let found =
      switch field.value {
      case .varint: "an integer"
      case .fixed64: "eight bytes"
      case .bytes: "bytes"
      case .fixed32: "four bytes"
      }
    return malformed("\(kind) as \(what) (field \(field.number))", found, at: field.place)
  }
}
