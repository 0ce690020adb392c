internal import Support

/// One of the ways in which training sees an image, so that it learns what the image shows rather than its pixels:
/// 0 the image itself, 1 its mirror image, then random crops, every other one mirrored.
public struct Augmentation: Sendable, Equatable {
  /// Which view.
  public let index: Int
  /// Crops follow from it, the view and the image's number.
  public let seed: UInt64

  /// The shortest side of a crop, as a share of the image's.
  static let smallestCrop: Float = 0.8

  /// View `index` of images.
  public init(_ index: Int, seed: UInt64 = 0) { (self.index, self.seed) = (index, seed) }

  /// What is seen of image number `number`, whose upright size is `size`.
  public func callAsFunction(_ size: ImageSize, number: Int) -> ImageCrop {
    let isMirrored = index % 2 == 1
    guard index > 1 else {
      return ImageCrop(columns: 0..<size.width, rows: 0..<size.height, isMirrored: isMirrored)
    }
    var random = Random(seed: seed, stream: UInt64(index), UInt64(number))
    func span(_ extent: Int) -> Range<Int> {
      let share = Self.smallestCrop + (1 - Self.smallestCrop) * random.uniform()
      let length = min(extent, max(1, Int(saturating: Double((Float(extent) * share).rounded()))))
      let start = Int(saturating: Double(random.uniform() * Float(extent - length + 1)))
      return start..<start + length
    }
    let columns = span(size.width)
    return ImageCrop(columns: columns, rows: span(size.height), isMirrored: isMirrored)
  }

  /// What is seen of image number `number`.
  public func callAsFunction(_ image: RGBImage, number: Int) -> RGBImage {
    let crop = self(image.size, number: number)
    let seen =
      crop.size == image.size ? image : image.cropped(columns: crop.columns, rows: crop.rows)
    return crop.isMirrored ? seen.horizontallyFlipped() : seen
  }

  /// Names the view among features: two views of one name see the same.
  public var name: String { index < 2 ? ["", "mirrored"][max(0, index)] : "view \(index) of seed \(seed)" }
}

extension RGBImage {
  /// The part of the picture in the given columns and rows, which lie inside it.
  public func cropped(columns: Range<Int>, rows: Range<Int>) -> RGBImage {
    precondition(
      (0..<width + 1).contains(columns.upperBound) && columns.lowerBound >= 0, "\(columns) of \(width)")
    precondition((0..<height + 1).contains(rows.upperBound) && rows.lowerBound >= 0, "\(rows) of \(height)")
    var part: [UInt8] = []
    part.reserveCapacity(columns.count * rows.count * 3)
    for row in rows {
      let start = row * width * 3
      part += pixels[start + columns.lowerBound * 3..<start + columns.upperBound * 3]
    }
    return RGBImage(width: columns.count, height: rows.count, pixels: part)
  }
}
