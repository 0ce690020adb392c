import Tensors
import Testing

@Suite struct HalfPrecisionTests {
  /// Ties go to the even neighbour, what is no number stays none, and nothing finite becomes infinite in half precision.
  @Test func roundsToNearestEven() {
    func rounded(_ values: [Float], _ type: StoredType) -> [UInt16] {
      var result = [UInt16](repeating: 0, count: values.count)
      convert(values, count: values.count, to: type, into: &result)
      return result
    }
    #expect(
      rounded([1, 1 + 0x1p-8, 1 + 0x1.8p-7, -.infinity, .nan, 0x1p-133], .bfloat16)
        == [0x3F80, 0x3F80, 0x3F82, 0xFF80, 0x7FC0, 0x0001])
    #expect(
      rounded([1, 1 + 0x1p-11, 1 + 0x1.8p-10, 1e6, -.infinity, 0x1p-24], .float16)
        == [0x3C00, 0x3C00, 0x3C02, 0x7BFF, 0xFC00, 0x0001])
  }
}
