import Testing

@testable import Imaging

struct ResizeTests {
  /// Files are named `37x29_to_16x16.ppm` and come from `37x29.png`.
  @Test(arguments: FixtureFiles.names(in: "resize", suffixes: ".ppm"))
  func equalsPillow(name: String) throws {
    let source = try #require(name.split(separator: "_").first)
    let golden = try FixtureFiles.golden("resize/" + name)
    let image = try RGBImage(contentsOf: FixtureFiles.folder + "resize/\(source).png")
    #expect(largestDifference(image.resized(width: golden.width, height: golden.height), golden) == 0)
  }

  @Test func theSameSizeIsTheSamePicture() throws {
    let image = try RGBImage(contentsOf: FixtureFiles.folder + "resize/37x29.png")
    #expect(image.resized(width: 37, height: 29) == image)
  }

  /// A window of the resized picture is that part of the whole resized picture.
  @Test func aWindowEqualsTheCroppedWhole() throws {
    let image = try RGBImage(contentsOf: FixtureFiles.folder + "resize/37x29.png")
    for (width, height) in [(37, 29), (20, 50), (90, 7)] {
      let whole = image.resized(width: width, height: height)
      let window = image.resized(width: width, height: height, columns: 3..<19, rows: 2..<6)
      for y in 0..<4 {
        let start = ((y + 2) * width + 3) * 3
        #expect(window.pixels[(y * 48)..<(y * 48 + 48)] == whole.pixels[start..<start + 48])
      }
    }
  }

  @Test func extremeProportions() {
    let line = RGBImage(width: 65_500, height: 1, pixels: [UInt8](repeating: 77, count: 65_500 * 3))
    let window = line.resized(width: 65_500 * 256, height: 256, columns: 0..<9, rows: 9..<20)
    #expect(window == RGBImage(width: 9, height: 11, pixels: [UInt8](repeating: 77, count: 297)))
    #expect(line.resized(width: 1, height: 3).pixels == [UInt8](repeating: 77, count: 9))
  }
}
