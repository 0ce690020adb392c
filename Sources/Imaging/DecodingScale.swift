/// How photos become pixels where the network reads far fewer.
public enum PhotoDecoding: String, Sendable, Codable, CaseIterable {
  /// Every pixel is decoded, then the picture is resized.
  case exact
  /// A large JPEG is decoded at a fraction of its size, by leaving out the high frequencies of its blocks, as long as
  /// that gives at least twice the side that the network reads; then the picture is resized. Others are as with `exact`.
  case scaled

  /// What was done, for people.
  public var inWords: String {
    switch self {
    case .exact: "every pixel of the photos is decoded"
    case .scaled: "large JPEGs are decoded at a reduced scale (--exact-decoding: every pixel)"
    }
  }
}

/// The scale at which a picture is decoded, in eighths: JPEG's blocks have a side of 8, and any smaller square of samples
/// can be had of one.
struct DecodingScale: Equatable {
  /// 1 to 8.
  let eighths: Int

  /// Every pixel.
  static let whole = DecodingScale(eighths: 8)

  /// The smallest of a codec's scales that leaves at least twice the side of what is made of a crop; else the whole.
  /// - Parameters:
  ///   - crop: the size of what is seen, in the whole picture.
  ///   - result: the size to which that is resized.
  static func smallest(of scales: [DecodingScale], for crop: ImageSize, to result: ImageSize) -> DecodingScale
  {
    let enough = scales.filter {
      crop.width * $0.eighths >= 2 * 8 * result.width && crop.height * $0.eighths >= 2 * 8 * result.height
    }
    return enough.min { $0.eighths < $1.eighths } ?? .whole
  }

  /// Where a place among the pixels of a line, counted from its start, lies among the samples.
  func place(_ pixels: Int) -> Double { Double(pixels * eighths) / 8 }

  /// How many samples a line of so many pixels has: the last may hang over its end.
  func samples(_ pixels: Int) -> Int { (pixels * eighths + 7) / 8 }

  /// The size of what is decoded of a picture.
  func size(_ picture: ImageSize) -> ImageSize {
    ImageSize(width: samples(picture.width), height: samples(picture.height))
  }
}
