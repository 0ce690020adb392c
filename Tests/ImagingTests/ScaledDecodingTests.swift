internal import Foundation
import TestSupport
import Testing

@testable import Imaging

/// JPEGs decoded at a fraction of their size.
struct ScaledDecodingTests {
  private static let scales = JPEGCodec().scales

  private static func reader(_ decoding: PhotoDecoding, lenient: Bool = false) -> ImageReader {
    var reader = ImageReader()
    reader.decoding = decoding
    reader.isLenient = lenient
    return reader
  }

  /// Stretches to a size.
  private static func stretched(_ width: Int, _ height: Int) throws -> Preprocessing {
    try Preprocessing(
      width: width, height: height, resize: .stretch, channelOrder: .rgb, scale: .unit, mean: [0, 0, 0],
      standardDeviation: [1, 1, 1])
  }

  /// Files are named `420_to_20x15.ppm` and come from `420.jpg`. Versions of libjpeg differ in the last bits.
  @Test(arguments: FixtureFiles.names(in: "scaled", suffixes: ".ppm")) func equalsPillowsDraft(name: String)
    throws
  {
    let golden = try FixtureFiles.golden("scaled/" + name)
    let source = try #require(name.split(separator: "_").first)
    let fitted = try Self.reader(.scaled).fitted(
      contentsOf: FixtureFiles.folder + "scaled/\(source).jpg",
      to: Self.stretched(golden.width, golden.height))
    #expect(fitted.warning == nil)
    #expect(try #require(largestDifference(fitted.image, golden)) <= 2)
  }

  @Test func everyKindHasAFixture() {
    #expect(FixtureFiles.names(in: "scaled", suffixes: ".ppm").count == 18)
  }

  /// The smallest that leaves twice the side, in both directions.
  @Test func theScaleIsTheSmallestThatSuffices() {
    func eighths(_ width: Int, _ height: Int, _ preprocessing: Preprocessing) -> Int {
      let size = ImageSize(width: width, height: height)
      return DecodingScale.smallest(of: Self.scales, for: size, to: preprocessing.window(for: size).size)
        .eighths
    }
    #expect(eighths(4000, 3000, .torchvision) == 2 && eighths(3000, 4000, .torchvision) == 2)
    #expect(eighths(4000, 2048, .torchvision) == 2 && eighths(4000, 2047, .torchvision) == 4)
    #expect(eighths(4000, 1024, .torchvision) == 4 && eighths(4000, 1023, .torchvision) == 8)
    #expect(eighths(640, 480, .torchvision) == 8 && eighths(16000, 12000, .torchvision) == 1)
    #expect(
      eighths(896, 896, .caffe) == 4 && eighths(895, 5000, .caffe) == 8 && eighths(3584, 3584, .caffe) == 1)
    #expect(eighths(1, 1, .caffe) == 8)
    #expect(
      DecodingScale.smallest(
        of: [], for: ImageSize(width: 9000, height: 9000), to: ImageSize(width: 1, height: 1)) == .whole)
  }

  /// Below four times the side the two ways are one; above it they are not.
  @Test func smallPhotosAreTheSame() throws {
    let path = FixtureFiles.folder + "scaled/420.jpg"
    for (width, height, isSame) in [(51, 20, true), (20, 38, true), (50, 37, false)] {
      let preprocessing = try Self.stretched(width, height)
      let images = try PhotoDecoding.allCases.map {
        try Self.reader($0).fitted(contentsOf: path, to: preprocessing).image
      }
      #expect((images[0] == images[1]) == isSame, "\(width)×\(height)")
      #expect(images[0] == preprocessing.fitted(try RGBImage(contentsOf: path)))
    }
  }

  /// Of a ramp every scale shows the same at the same place, however the picture lies in the file and whatever is seen of
  /// it; a sample that were a pixel off would show. 85 and 77 are no multiples of a block.
  @Test(arguments: 1...8) func placesAreTheSame(orientation: Int) throws {
    let (width, height) = (85, 77)
    var pixels: [UInt8] = []
    for y in 0..<height { for x in 0..<width { pixels += [UInt8(3 * x), UInt8(3 * y), 90] } }
    let file = try jpeg(
      RGBImage(width: width, height: height, pixels: pixels), orientation: UInt8(orientation))
    for (side, eighths) in [(3, 1), (7, 2), (14, 4)] {
      let preprocessing = try Self.stretched(side, side)
      for view in (0..<8).map({ Augmentation($0, seed: 7) }) {
        let whole = try fitted(file, preprocessing, view, .whole)
        let scaled = try fitted(file, preprocessing, view, DecodingScale(eighths: eighths))
        // At the rim of the picture a block is filled up with what the encoder likes.
        for y in 1..<side - 1 {
          for x in 1..<side - 1 {
            for channel in 0..<3 {
              let at = (y * side + x) * 3 + channel
              #expect(
                abs(Int(whole.pixels[at]) - Int(scaled.pixels[at])) <= 3,
                "view \(view.index), 1/\(8 / eighths): \(x), \(y)")
            }
          }
        }
      }
    }
  }

  private func fitted(
    _ file: [UInt8], _ preprocessing: Preprocessing, _ view: Augmentation, _ scale: DecodingScale
  ) throws -> RGBImage {
    try file.withUnsafeBytes { bytes in
      try ImageReader().resampled(bytes, name: "ramp", among: [scale]) { size in
        let crop = view(size, number: 1)
        return (crop, preprocessing.window(for: crop.size))
      }.image
    }
  }

  /// A JPEG with an EXIF orientation.
  private func jpeg(_ image: RGBImage, orientation: UInt8) throws -> [UInt8] {
    let bytes = try #require(image.jpeg(quality: 100))
    let tag: [UInt8] = [0x12, 0x01, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0]
    let exif = Array("Exif\0\0II*\0".utf8) + [8, 0, 0, 0, 1, 0] + tag + [0, 0, 0, 0]
    return [0xFF, 0xD8, 0xFF, 0xE1, 0, UInt8(exif.count + 2)] + exif + bytes.dropFirst(2)
  }

  /// Damage is found, and told, as when every pixel is decoded: cuts, exchanged bytes, lost scans, things behind the end.
  @Test(arguments: ["420", "progressive", "grey", "cmyk"]) func damageIsTheSame(name: String) throws {
    let bytes = try FixtureFiles.bytes("scaled/\(name).jpg")
    let preprocessing = try Self.stretched(12, 9)
    var files = stride(from: 2, to: bytes.count, by: 97).map { Array(bytes[..<$0]) }
    files += [bytes + [1, 2, 3], bytes + bytes, Array(bytes.dropLast(2)) + [0xFF, 0x02]]
    for place in stride(from: 20, to: bytes.count, by: 53) {
      var changed = bytes
      changed[place] ^= 0x5A
      files.append(changed)
    }
    var outcomes: Set<String> = []
    for (number, file) in files.enumerated() {
      for lenient in [false, true] {
        let found = PhotoDecoding.allCases.map { decoding -> String in
          let reader = Self.reader(decoding, lenient: lenient)
          do {
            return try reader.fitted(decoding: file, name: "x", to: preprocessing).warning ?? "fine"
          } catch {
            return "\(error)"
          }
        }
        #expect(found[0] == found[1], "file \(number)")
        outcomes.insert(found[1])
      }
    }
    #expect(outcomes.count > 5, "nothing was damaged: \(outcomes)")
  }

  /// Of a file that was cut the rows that are there are shown, and the rest is grey.
  @Test func whatIsThereIsTaken() throws {
    let bytes = try FixtureFiles.bytes("scaled/420.jpg")
    let preprocessing = try Self.stretched(12, 9)
    let cut = Array(bytes.dropLast(bytes.count / 3))
    let part = try Self.reader(.scaled, lenient: true).fitted(decoding: cut, name: "x", to: preprocessing)
    let whole = try Self.reader(.scaled).fitted(decoding: bytes, name: "x", to: preprocessing)
    #expect(part.warning?.contains("of 149 rows") == true)
    #expect(part.image.pixels.prefix(12 * 3 * 3) == whole.image.pixels.prefix(12 * 3 * 3))
    #expect(part.image.pixels.suffix(12 * 3).allSatisfy { $0 == 128 })
  }

  /// Thumbnails are small pictures too.
  @Test func thumbnailsAreScaled() throws {
    let path = FixtureFiles.folder + "scaled/444.jpg"
    let exact = try RGBImage(contentsOf: path).thumbnail(side: 20)
    #expect(try Self.reader(.exact).thumbnail(contentsOf: path, side: 20) == exact)
    let scaled = try Self.reader(.scaled).thumbnail(contentsOf: path, side: 20)
    #expect(scaled != exact)
    #expect(try #require(largestDifference(scaled, exact)) < 24)
  }
}
