internal import Tensors

/// The scalars of a repeated field of a message, which may be packed in one piece or several, or stand one by one.
///
/// They are counted as the file is opened, and read when they are asked for: the fields are gone through again then, so that
/// nothing is kept of them meanwhile.
struct ProtobufNumbers {
  /// How a scalar is written.
  enum Encoding {
    /// As it lies in memory, little-endian: four or eight bytes.
    case fixed(ScalarType)
    /// As an integer, whose lower bits are the scalar.
    case varint(ScalarType)
  }

  /// The field's number in the message.
  let number: Int
  let encoding: Encoding

  /// How many scalars a field of that number holds.
  func count(
    _ field: ProtobufReader.Field, in message: ProtobufReader, _ what: String
  ) throws(WeightFileError) -> Int {
    switch (encoding, field.value) {
    case (.fixed(let type), .bytes(let range)):
      guard range.count % type.size == 0 else {
        throw message.malformed(
          "\(what) of \(type.size) bytes each", "\(range.count) bytes", at: field.place)
      }
      return range.count / type.size
    case (.fixed(let type), .fixed32) where type.size == 4: return 1
    case (.fixed(let type), .fixed64) where type.size == 8: return 1
    case (.varint, .varint): return 1
    case (.varint, .bytes(let range)):
      var packed = message.message(range)
      var count = 0
      while packed.left > 0 {
        _ = try packed.varint(what)
        count += 1
      }
      return count
    default: throw message.mismatch(field, "numbers", what)
    }
  }

  /// The scalars of all such fields of a message, of which there are as many as the shape has.
  func read(_ message: ProtobufReader, _ shape: Shape, _ what: String) throws(WeightFileError) -> Tensor {
    var tensor = Tensor(uninitialized: shape)
    let (room, scalars) = (shape.count, tensor.mutablePointer())
    var count = 0
    var message = message
    while let field = try message.next() {
      guard field.number == number else { continue }
      let more = try self.count(field, in: message, what)
      guard more <= room - count else {
        throw message.malformed("\(room) of \(what)", "more", at: field.place)
      }
      switch (encoding, field.value) {
      case (.fixed(let type), .bytes(let range)):
        type.read(message.bytes, from: range.lowerBound, count: more, into: scalars + count)
      case (_, .fixed32(let bits)): scalars[count] = Float(bitPattern: bits)
      case (_, .fixed64(let bits)): scalars[count] = Float(Double(bitPattern: bits))
      case (.varint(let type), .varint(let bits)): scalars[count] = type.number(lowerBitsOf: bits)
      case (.varint(let type), .bytes(let range)):
        var packed = message.message(range)
        for place in count..<count + more {
          scalars[place] = type.number(lowerBitsOf: try packed.varint(what))
        }
      default: break
      }
      count += more
    }
    guard count == room else { throw message.malformed("\(room) of \(what)", "\(count)", at: message.place) }
    return tensor
  }
}

extension ScalarType {
  /// The number that the lower bits of an integer are.
  fileprivate func number(lowerBitsOf bits: UInt64) -> Float {
    withUnsafeBytes(of: bits.littleEndian) { number($0, at: 0, bigEndian: false) }
  }
}
