import Imaging
import Testing

@Suite struct AugmentationTests {
  private let image = RGBImage(
    width: 40, height: 30, pixels: (0..<40 * 30 * 3).map { UInt8(truncatingIfNeeded: $0 * 7) })

  @Test func theFirstTwoAreTheImageAndItsMirrorImage() {
    #expect(Augmentation(0)(image, number: 3) == image)
    #expect(Augmentation(1)(image, number: 3) == image.horizontallyFlipped())
  }

  /// A crop is a part of the image, the same each time, another for another image, view or seed.
  @Test func cropsAreRepeatableParts() {
    let crop = Augmentation(2, seed: 9)(image, number: 3)
    #expect((32...40).contains(crop.width) && (24...30).contains(crop.height))
    #expect(Augmentation(2, seed: 9)(image, number: 3) == crop)
    let others = [
      Augmentation(2, seed: 9)(image, number: 4), Augmentation(2, seed: 8)(image, number: 3),
      Augmentation(4, seed: 9)(image, number: 3),
    ]
    for other in others { #expect(other != crop) }
    let columns = (0...40 - crop.width).flatMap { x in (0...30 - crop.height).map { (x, $0) } }
    #expect(
      columns.contains { x, y in image.cropped(columns: x..<x + crop.width, rows: y..<y + crop.height) == crop
      })
  }

  @Test func onePixelSurvives() {
    let dot = RGBImage(width: 1, height: 1, pixels: [1, 2, 3])
    for view in 0..<6 { #expect(Augmentation(view)(dot, number: 0) == dot) }
  }
}
