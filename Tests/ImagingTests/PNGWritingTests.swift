import Imaging
import Testing

@Suite struct PNGWritingTests {
  /// What is written is read again, sample by sample.
  @Test(arguments: [(1, 1), (7, 3), (300, 2)]) func isReadAgain(width: Int, height: Int) throws {
    let pixels = (0..<width * height * 3).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ $0 / 5) }
    let image = RGBImage(width: width, height: height, pixels: pixels)
    let bytes = try #require(image.png())
    #expect(try RGBImage(decoding: bytes, name: "written") == image)
  }

  @Test func aSideThatNoReaderTakesIsRefused() {
    #expect(RGBImage(width: 65_501, height: 1, pixels: [UInt8](repeating: 0, count: 65_501 * 3)).png() == nil)
  }
}
