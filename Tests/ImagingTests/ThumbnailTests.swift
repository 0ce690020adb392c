import TestSupport
import Testing

@testable import Imaging

@Suite struct ThumbnailTests {
  @Test func aPictureSurvivesJPEG() throws {
    let image = try RGBImage(contentsOf: photo("resize/160x120.png"))
    let (good, poor) = (try #require(image.jpeg(quality: 95)), try #require(image.jpeg(quality: 10)))
    #expect(poor.count < good.count)
    func error(_ bytes: [UInt8]) throws -> Double {
      let decoded = try RGBImage(decoding: bytes, name: "it")
      #expect(decoded.width == image.width && decoded.height == image.height)
      let sum = zip(decoded.pixels, image.pixels).reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) }
      return Double(sum) / Double(image.pixels.count)
    }
    #expect(try error(good) < 6)
    #expect(try error(good) < error(poor))
  }

  @Test(arguments: [(1, 1), (3, 7), (65500, 1)]) func anySizeIsWritten(width: Int, height: Int) throws {
    let image = RGBImage(
      width: width, height: height, pixels: [UInt8](repeating: 200, count: width * height * 3))
    let decoded = try RGBImage(decoding: try #require(image.jpeg()), name: "it")
    #expect(decoded == image)
  }

  @Test func whatJPEGCantHoldIsNil() {
    #expect(RGBImage(width: 1, height: 65501, pixels: [UInt8](repeating: 0, count: 65501 * 3)).jpeg() == nil)
  }

  @Test func thumbnailsKeepProportionsAndNeverGrow() {
    func size(_ width: Int, _ height: Int) -> [Int] {
      let image = RGBImage(
        width: width, height: height, pixels: [UInt8](repeating: 9, count: width * height * 3))
      let small = image.thumbnail(side: 40)
      return [small.width, small.height]
    }
    #expect(size(80, 60) == [40, 30] && size(60, 80) == [30, 40] && size(20, 40) == [20, 40])
    #expect(size(1000, 1) == [40, 1] && size(1, 1) == [1, 1])
  }
}
