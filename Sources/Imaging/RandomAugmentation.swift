public import Support

/// How training changes a photo anew each time that it learns from it: a part of it, stretched to what the network reads,
/// perhaps mirrored, perhaps in other colours.
public struct RandomAugmentation: Sendable, Equatable {
  /// The part.
  public let crop: RandomResizedCrop
  /// The colours; nil: they stay.
  public let colours: ColourJitter?

  /// Parts of photos, in their colours unless others are given.
  public init(_ crop: RandomResizedCrop, colours: ColourJitter? = nil) {
    self.crop = crop
    self.colours = colours
  }

  /// What is seen of a photo, `width` by `height`.
  public func callAsFunction(
    _ image: RGBImage, width: Int, height: Int, using random: inout Random
  ) -> RGBImage {
    let part = image.resized(crop(image.size, using: &random), width: width, height: height)
    return colours?(part, using: &random) ?? part
  }
}
