internal import Support
internal import Tensors

/// Writes a message of Protocol Buffers. Scalars of tensors stay where they are until the message goes into a file.
struct ProtobufWriter: Sendable {
  /// Bytes, and perhaps the scalars of a tensor after them.
  private struct Piece {
    var bytes: [UInt8] = []
    var scalars: Tensor?
  }

  private var pieces: [Piece] = []
  /// Bytes of the message.
  private(set) var count = 0

  private mutating func append(_ bytes: [UInt8]) {
    count += bytes.count
    if pieces.isEmpty || pieces[pieces.count - 1].scalars != nil { pieces.append(Piece()) }
    pieces[pieces.count - 1].bytes += bytes
  }

  private mutating func append(_ scalars: Tensor) {
    append([])
    count += 4 * scalars.count
    pieces[pieces.count - 1].scalars = scalars
  }

  private static func varint(_ value: UInt64) -> [UInt8] {
    var (bytes, rest) = ([UInt8](), value)
    while rest >= 0x80 {
      bytes.append(UInt8(rest & 0x7F) | 0x80)
      rest >>= 7
    }
    return bytes + [UInt8(rest)]
  }

  private mutating func key(_ number: Int, _ wireType: UInt64) {
    append(Self.varint(UInt64(number) << 3 | wireType))
  }

  /// An integer, truth value or enumeration.
  mutating func add(_ number: Int, integer: Int) {
    key(number, 0)
    append(Self.varint(UInt64(bitPattern: Int64(integer))))
  }

  /// A number of single precision.
  mutating func add(_ number: Int, float: Float) {
    key(number, 5)
    append(withUnsafeBytes(of: float.bitPattern.littleEndian) { Array($0) })
  }

  /// A text.
  mutating func add(_ number: Int, text: String) { add(number, bytes: Array(text.utf8)) }

  /// Bytes.
  mutating func add(_ number: Int, bytes: [UInt8]) {
    key(number, 2)
    append(Self.varint(UInt64(bytes.count)) + bytes)
  }

  /// Integers, packed.
  mutating func add(_ number: Int, integers: [Int]) {
    add(number, bytes: integers.flatMap { Self.varint(UInt64(bitPattern: Int64($0))) })
  }

  /// The scalars of a tensor, four bytes each: bytes, or packed numbers of single precision.
  mutating func add(_ number: Int, scalars: Tensor) {
    key(number, 2)
    append(Self.varint(UInt64(4 * scalars.count)))
    append(scalars)
  }

  /// A message within this one.
  mutating func add(_ number: Int, message: ProtobufWriter) {
    key(number, 2)
    append(Self.varint(UInt64(message.count)))
    append(message)
  }

  /// The fields of another message, as if they had been added here.
  mutating func append(_ message: ProtobufWriter) {
    for piece in message.pieces {
      append(piece.bytes)
      if let scalars = piece.scalars { append(scalars) }
    }
  }

  /// The message.
  var bytes: [UInt8] {
    pieces.reduce(into: []) { bytes, piece in
      bytes += piece.bytes
      piece.scalars?.withUnsafeBufferPointer { bytes += UnsafeRawBufferPointer($0) }
    }
  }

  /// Appends the message to a file.
  func write(to file: inout AtomicFile) throws {
    for piece in pieces {
      try file.write(piece.bytes)
      try piece.scalars?.withUnsafeBufferPointer { try file.write(UnsafeRawBufferPointer($0)) }
    }
  }
}
