internal import Foundation
public import Support

/// A part of a picture drawn at random, perhaps mirrored, as torchvision's `RandomResizedCrop` and then
/// `RandomHorizontalFlip` draw them (torchvision 0.29, `transforms/transforms.py`):
///
///     area  = picture's area · uniform(smallestArea, 1)
///     ratio = exp(uniform(−ln largestRatio, ln largestRatio))
///     width = round(√(area · ratio)), height = round(√(area / ratio))
///
/// anywhere in the picture; drawn again where it does not fit, and after ten times the middle, as wide and high as the
/// ratios allow.
public struct RandomResizedCrop: Sendable, Equatable {
  /// The smallest share of the picture's area, above 0 and at most 1.
  public let smallestArea: Double
  /// The largest ratio of width to height, at least 1; the smallest is one over it.
  public let largestRatio: Double
  /// How often left and right are exchanged, 0…1.
  public let mirrorChance: Double

  /// torchvision's ratio and chance, 4/3 and a half.
  public init(smallestArea: Double, largestRatio: Double = 4.0 / 3, mirrorChance: Double = 0.5) {
    self.smallestArea = smallestArea
    self.largestRatio = largestRatio
    self.mirrorChance = mirrorChance
  }

  /// A part of a picture of some size.
  public func callAsFunction(_ size: ImageSize, using random: inout Random) -> ImageCrop {
    let part = part(of: size, using: &random) ?? middle(of: size)
    return ImageCrop(
      columns: part.columns, rows: part.rows, isMirrored: Double(random.uniform()) < mirrorChance)
  }

  /// A part that fits; nil: ten did not.
  private func part(of size: ImageSize, using random: inout Random) -> ImageCrop? {
    func uniform(_ lower: Double, _ upper: Double) -> Double {
      lower + (upper - lower) * Double(random.uniform())
    }
    func start(_ spare: Int) -> Int { Int(saturating: Double(random.uniform()) * Double(spare + 1)) }
    let widest = log(largestRatio)
    for _ in 0..<10 {
      let area = Double(size.pixels) * uniform(smallestArea, 1)
      let ratio = exp(uniform(-widest, widest))
      let width = Int(saturating: (area * ratio).squareRoot().rounded(.toNearestOrEven))
      let height = Int(saturating: (area / ratio).squareRoot().rounded(.toNearestOrEven))
      guard width > 0, width <= size.width, height > 0, height <= size.height else { continue }
      let top = start(size.height - height)
      let left = start(size.width - width)
      return ImageCrop(columns: left..<left + width, rows: top..<top + height)
    }
    return nil
  }

  private func middle(of size: ImageSize) -> ImageCrop {
    func rounded(_ side: Double) -> Int { Int(saturating: side.rounded(.toNearestOrEven)) }
    let ratio = Double(size.width) / Double(size.height)
    var (width, height) = (size.width, size.height)
    if ratio < 1 / largestRatio {
      height = rounded(Double(width) / (1 / largestRatio))
    } else if ratio > largestRatio {
      width = rounded(Double(height) * largestRatio)
    }
    let left = (size.width - width) / 2
    let top = (size.height - height) / 2
    return ImageCrop(columns: left..<left + width, rows: top..<top + height)
  }
}
