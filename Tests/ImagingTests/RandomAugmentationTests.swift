import Foundation
import Support
import Testing

@testable import Imaging

/// Against torchvision over Pillow, with the draws of our streams: `tools/golden/augmentation.py`.
@Suite struct RandomAugmentationTests {
  private struct Crops: Decodable {
    struct Case: Decodable {
      let size, columns, rows: [Int]
      let area, ratio: Double
      let seed: UInt64
      let mirrored: Bool
    }
    let cases: [Case]
  }

  @Test func cropsAreTorchvisions() throws {
    let cases = try JSONDecoder().decode(
      Crops.self, from: Data(FixtureFiles.bytes("augmentation/crops.json"))
    ).cases
    #expect(cases.count == 160)
    for one in cases {
      var random = Random(seed: one.seed)
      let crop = RandomResizedCrop(smallestArea: one.area, largestRatio: one.ratio)(
        ImageSize(width: one.size[0], height: one.size[1]), using: &random)
      let golden = ImageCrop(
        columns: one.columns[0]..<one.columns[1], rows: one.rows[0]..<one.rows[1], isMirrored: one.mirrored)
      #expect(crop == golden, "\(one)")
    }
  }

  /// The whole way, byte for byte: cropped, mirrored, resized, in other colours.
  @Test(arguments: ["drawn", "noise"]) func picturesAreTorchvisions(name: String) throws {
    let source = try RGBImage(
      decoding: FixtureFiles.bytes("augmentation/\(name).png"), name: name)
    for seed in 0..<8 {
      let colours =
        seed < 4
        ? ColourJitter(brightness: 0.4, contrast: 0.4, saturation: 0.4)
        : seed < 7
          ? ColourJitter(brightness: 1.5, contrast: 0.9, saturation: 2)
          : ColourJitter(brightness: 0, contrast: 0.5, saturation: 0)
      let augmentation = RandomAugmentation(RandomResizedCrop(smallestArea: 0.5), colours: colours)
      var random = Random(seed: UInt64(seed))
      let seen = augmentation(source, width: 24, height: 20, using: &random)
      let golden = try FixtureFiles.golden("augmentation/\(name)_\(seed).ppm")
      #expect(largestDifference(seen, golden) == 0, "seed \(seed)")
    }
  }

  /// Every part lies inside, has at least the area asked for but for rounding, and is no flatter than allowed.
  @Test(arguments: [(361, 241), (40, 900), (1, 1), (2, 3)]) func cropsKeepTheirBounds(sides: (Int, Int)) {
    let size = ImageSize(width: sides.0, height: sides.1)
    let crop = RandomResizedCrop(smallestArea: 0.3, largestRatio: 1.5, mirrorChance: 0.25)
    var random = Random(seed: 7)
    var (mirrored, different) = (0, Set<Range<Int>>())
    for _ in 0..<1000 {
      let part = crop(size, using: &random)
      #expect((0..<size.width).contains(part.columns) && (0..<size.height).contains(part.rows))
      let ratio = Double(part.columns.count) / Double(part.rows.count)
      #expect(part.size.pixels < 100 || (0.65...1.53).contains(ratio), "\(part)")
      if size.width == 361 { #expect(Double(part.size.pixels) > 0.295 * Double(size.pixels)) }
      mirrored += part.isMirrored ? 1 : 0
      different.insert(part.columns)
    }
    #expect((200..<300).contains(mirrored))
    #expect(size.width < 100 || different.count > 300)
  }

  @Test func withoutChancesNothingChanges() {
    let image = RGBImage(width: 9, height: 9, pixels: (0..<243).map { UInt8($0) })
    var random = Random(seed: 1)
    let still = RandomAugmentation(
      RandomResizedCrop(smallestArea: 1, largestRatio: 1, mirrorChance: 0),
      colours: ColourJitter(brightness: 0, contrast: 0, saturation: 0))
    let same = still(image, width: 9, height: 9, using: &random)
    #expect(same == image)
  }

  @Test(arguments: [(400, 300, 87381), (3, 2, 87381), (65500, 1, 1755), (1, 65500, 1755), (4000, 3, 1755)])
  func reducedPicturesKeepTheirProportions(width: Int, height: Int, most: Int) {
    let size = ImageSize(width: width, height: height).reduced(to: most)
    #expect(size.pixels <= most && size.width >= 1 && size.height >= 1)
    if width == 400 { #expect(size == ImageSize(width: 341, height: 255)) }
    if width == 3 { #expect(size == ImageSize(width: 3, height: 2)) }
  }

  @Test func filesAreReduced() throws {
    let path = FixtureFiles.folder + "decode/jpeg-orientation-6.jpg"
    let whole = try ImageReader().image(contentsOf: path)
    let (same, warning) = try ImageReader().reduced(contentsOf: path, pixels: whole.size.pixels)
    #expect(same == whole && warning == nil)
    let small = try ImageReader().reduced(contentsOf: path, pixels: 200).image
    #expect(small.size == whole.size.reduced(to: 200) && small.size.pixels > 150)
    #expect(small == whole.resized(width: small.width, height: small.height))
  }
}

extension Range<Int> {
  fileprivate func contains(_ other: Range<Int>) -> Bool {
    lowerBound <= other.lowerBound && other.upperBound <= upperBound
  }
}
