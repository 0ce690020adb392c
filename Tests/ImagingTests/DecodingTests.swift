internal import Foundation
import Testing

@testable import Imaging

struct DecodingTests {
  @Test(arguments: FixtureFiles.names(in: "decode", suffixes: ".png"))
  func pngEqualsPillow(name: String) throws {
    let image = try RGBImage(contentsOf: FixtureFiles.folder + "decode/" + name)
    let golden = try FixtureFiles.golden("decode/" + name.dropLast(4) + ".ppm")
    // 16-bit alpha is blended before the lower bytes go, not after.
    let tolerance = ["png-rgba16.png", "png-grey16-alpha.png"].contains(name) ? 2 : 0
    #expect(try #require(largestDifference(image, golden)) <= tolerance)
  }

  /// Versions of libjpeg differ in the last bit of the inverse transform and of the colours.
  @Test(arguments: FixtureFiles.names(in: "decode", suffixes: ".jpg"))
  func jpegAgreesWithPillow(name: String) throws {
    let image = try RGBImage(contentsOf: FixtureFiles.folder + "decode/" + name)
    let golden = try FixtureFiles.golden("decode/" + name.dropLast(4) + ".ppm")
    #expect(try #require(largestDifference(image, golden)) <= 2)
  }

  @Test func everyVariantHasAFixture() {
    #expect(FixtureFiles.names(in: "decode", suffixes: ".png").count == 25)
    #expect(FixtureFiles.names(in: "decode", suffixes: ".jpg").count == 19)
    #expect(FixtureFiles.names(in: "resize", suffixes: ".ppm").count == 13)
    #expect(FixtureFiles.names(in: "preprocess", suffixes: ".ppm").count == 20)
  }

  @Test func contentCountsNotTheName() throws {
    try withTemporaryFolder { folder in
      try FileManager.default.copyItem(
        atPath: FixtureFiles.folder + "decode/jpeg-baseline.jpg", toPath: folder + "/picture.png")
      let golden = try FixtureFiles.golden("decode/jpeg-baseline.ppm")
      let image = try RGBImage(contentsOf: folder + "/picture.png")
      #expect(try #require(largestDifference(image, golden)) <= 2)
    }
  }

  @Test func harmlessOdditiesAreAccepted() throws {
    let jpeg = try FixtureFiles.bytes("decode/jpeg-baseline.jpg")
    let whole = try RGBImage(decoding: jpeg, name: "whole")
    let trailing = jpeg + Array("trailing".utf8)
    #expect(try RGBImage(decoding: trailing, name: "bytes after the end") == whole)
    let padded = Array(jpeg.dropLast(2) + [0, 0, 0] + jpeg.suffix(2))
    #expect(try RGBImage(decoding: padded, name: "bytes before the end marker") == whole)
    let png = try FixtureFiles.bytes("decode/png-rgb.png") + [1, 2, 3]
    #expect(throws: Never.self) { try RGBImage(decoding: png, name: "png") }
  }

  @Test func flippingTwiceGivesThePictureBack() throws {
    let image = try FixtureFiles.golden("decode/png-rgb.ppm")
    let flipped = image.horizontallyFlipped()
    #expect(flipped.pixels.prefix(3) == image.pixels[(image.width * 3 - 3)..<(image.width * 3)])
    #expect(flipped != image)
    #expect(flipped.horizontallyFlipped() == image)
  }
}

struct OrientationTests {
  /// A 3x2 picture whose samples are 1 to 6, as each orientation shows it.
  @Test func everyOrientation() {
    let stored = RGBImage(width: 3, height: 2, pixels: (1...6).flatMap { [UInt8](repeating: $0, count: 3) })
    let expected: [Int: [UInt8]] = [
      1: [1, 2, 3, 4, 5, 6], 2: [3, 2, 1, 6, 5, 4], 3: [6, 5, 4, 3, 2, 1], 4: [4, 5, 6, 1, 2, 3],
      5: [1, 4, 2, 5, 3, 6], 6: [4, 1, 5, 2, 6, 3], 7: [6, 3, 5, 2, 4, 1], 8: [3, 6, 2, 5, 1, 4],
    ]
    for (value, samples) in expected {
      let image = stored.oriented(Orientation(rawValue: value)!)
      #expect((image.width, image.height) == (value < 5 ? (3, 2) : (2, 3)))
      #expect(image.pixels.enumerated().filter { $0.offset % 3 == 0 }.map(\.element) == samples, "\(value)")
    }
  }

  /// Whatever stands in the EXIF segment, the pixels are good.
  @Test func damagedEXIFIsIgnored() throws {
    let bytes = try FixtureFiles.bytes("decode/jpeg-orientation-6.jpg")
    let start = try #require(bytes.firstRange(of: Array("Exif".utf8))).lowerBound
    let end = start - 2 + Int(bytes[start - 2]) << 8 + Int(bytes[start - 1])
    for position in start..<end {
      for value: UInt8 in [0, 0x7F, 0xFF] {
        var damaged = bytes
        damaged[position] = value
        let image = try RGBImage(decoding: damaged, name: "byte \(position) = \(value)")
        #expect(image.width * image.height == 35 * 27)
      }
    }
  }
}
