internal import Tensors

/// How numbers lie in a file of another program.
public enum ScalarType: Sendable, Equatable {
  case float64, float32, float16, bfloat16, int64, int32, int16, int8, uint64, uint32, uint16, uint8

  /// Bytes of one.
  public var size: Int {
    switch self {
    case .float64, .int64, .uint64: 8
    case .float32, .int32, .uint32: 4
    case .float16, .bfloat16, .int16, .uint16: 2
    case .int8, .uint8: 1
    }
  }

  /// The number at an address, which need not be aligned.
  func number(_ bytes: UnsafeRawBufferPointer, at place: Int, bigEndian: Bool) -> Float {
    func load<I: FixedWidthInteger>(_: I.Type) -> I {
      let stored = bytes.loadUnaligned(fromByteOffset: place, as: I.self)
      return bigEndian ? I(bigEndian: stored) : I(littleEndian: stored)
    }
    switch self {
    case .float64: return Float(Double(bitPattern: load(UInt64.self)))
    case .float32: return Float(bitPattern: load(UInt32.self))
    case .float16: return Float(Float16(bitPattern: load(UInt16.self)))
    case .bfloat16: return Float(bitPattern: UInt32(load(UInt16.self)) << 16)
    case .int64: return Float(load(Int64.self))
    case .int32: return Float(load(Int32.self))
    case .int16: return Float(load(Int16.self))
    case .int8: return Float(load(Int8.self))
    case .uint64: return Float(load(UInt64.self))
    case .uint32: return Float(load(UInt32.self))
    case .uint16: return Float(load(UInt16.self))
    case .uint8: return Float(load(UInt8.self))
    }
  }

  /// The number at an address with all its digits, an integer as one where that is what it is and `Int` can hold it.
  func exactly(_ bytes: UnsafeRawBufferPointer, at place: Int, bigEndian: Bool) -> (
    integer: Int?, double: Double
  ) {
    func load<I: FixedWidthInteger>(_: I.Type) -> I {
      let stored = bytes.loadUnaligned(fromByteOffset: place, as: I.self)
      return bigEndian ? I(bigEndian: stored) : I(littleEndian: stored)
    }
    func integer<I: FixedWidthInteger>(_ type: I.Type) -> (Int?, Double) {
      let value = load(type)
      return (Int(exactly: value), Double(value))
    }
    switch self {
    case .float64: return (nil, Double(bitPattern: load(UInt64.self)))
    case .float32, .float16, .bfloat16: return (nil, Double(number(bytes, at: place, bigEndian: bigEndian)))
    case .int64: return integer(Int64.self)
    case .int32: return integer(Int32.self)
    case .int16: return integer(Int16.self)
    case .int8: return integer(Int8.self)
    case .uint64: return integer(UInt64.self)
    case .uint32: return integer(UInt32.self)
    case .uint16: return integer(UInt16.self)
    case .uint8: return integer(UInt8.self)
    }
  }

  /// Numbers of a file as a tensor, in the order in which they lie. The caller has checked that they do: `count` of the
  /// shape times `size` bytes from `place` on.
  func tensor(_ bytes: UnsafeRawBufferPointer, from place: Int, shape: Shape, bigEndian: Bool = false)
    -> Tensor
  {
    let count = shape.count
    precondition(place >= 0 && place + count * size <= bytes.count)
    var tensor = Tensor(uninitialized: shape)
    if count > 0 {
      read(bytes, from: place, count: count, into: tensor.mutablePointer(), bigEndian: bigEndian)
    }
    return tensor
  }

  /// The same into memory: `count` numbers from `place` on, which lie there.
  func read(
    _ bytes: UnsafeRawBufferPointer, from place: Int, count: Int, into scalars: UnsafeMutablePointer<Float>,
    bigEndian: Bool = false
  ) {
    precondition(count >= 0 && place >= 0 && place + count * size <= bytes.count)
    guard count > 0 else { return }
    if self == .float32 && !bigEndian {
      UnsafeMutableRawPointer(scalars).copyMemory(from: bytes.baseAddress! + place, byteCount: count * 4)
    } else {
      for position in 0..<count {
        scalars[position] = number(bytes, at: place + position * size, bigEndian: bigEndian)
      }
    }
  }
}
