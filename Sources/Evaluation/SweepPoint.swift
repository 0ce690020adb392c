internal import Models
public import Decoding
public import CaptionMetrics

/// What one way of searching gives.
public struct SweepPoint: Sendable {
  /// The way.
  public let options: BeamOptions
  /// The captions' scores, and what the model thinks of them.
  public let scores: Scores
  /// How long the search took.
  public let seconds: Double

  /// Images in a second of it.
  public var imagesPerSecond: Double { max(1, scores[.images] ?? 1) / max(seconds, 1e-9) }
}

extension SweepPoint: Encodable {
  private enum Key: String, CodingKey {
    case seconds
    case beamWidth = "beam_width"
    case lengthNormalization = "length_normalization"
    case imagesPerSecond = "images_per_second"
  }

  /// Writes the scores by name, `beam_width`, `length_normalization`, `seconds` and `images_per_second`.
  public func encode(to encoder: any Encoder) throws {
    try scores.encode(to: encoder)
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(options.beamWidth, forKey: .beamWidth)
    try container.encode(options.lengthNormalization.name, forKey: .lengthNormalization)
    try container.encode(seconds, forKey: .seconds)
    try container.encode(imagesPerSecond, forKey: .imagesPerSecond)
  }
}

extension LengthNormalization {
  /// `none`, `average`, or `wu:` and α.
  public var name: String {
    switch self {
    case .none: "none"
    case .average: "average"
    case .wu(let alpha): "wu:\(alpha)"
    }
  }
}
