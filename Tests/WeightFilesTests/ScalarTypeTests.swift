import Tensors
import Testing

@testable import WeightFiles

@Suite struct ScalarTypeTests {
  /// Numbers of each kind at an odd address, in both orders of bytes.
  @Test func everyKindIsRead() {
    func check<I: FixedWidthInteger>(_ type: ScalarType, _ bits: I, _ expected: Float) {
      for bigEndian in [false, true] {
        let bytes = [0xFF] + withUnsafeBytes(of: bigEndian ? bits.bigEndian : bits.littleEndian) { Array($0) }
        #expect(bytes.count == 1 + type.size)
        bytes.withUnsafeBytes {
          #expect(type.tensor($0, from: 1, shape: [1], bigEndian: bigEndian).scalars == [expected], "\(type)")
        }
      }
    }
    check(.float64, (-1.5).bitPattern, -1.5)
    check(.float32, Float(0.1).bitPattern, 0.1)
    check(.float16, UInt16(0x3E00), 1.5)
    check(.bfloat16, UInt16(0xBFC0), -1.5)
    check(.int64, Int64(-3), -3)
    check(.int32, Int32(-3), -3)
    check(.int16, Int16(-300), -300)
    check(.uint16, UInt16(65236), 65236)
    check(.int8, Int8(-3), -3)
    check(.uint64, UInt64(1) << 63, 9_223_372_036_854_775_808)
    check(.uint32, UInt32(3_000_000_000), 3_000_000_000)
    check(.uint16, UInt16(65533), 65533)
    check(.uint8, UInt8(253), 253)
  }
}
