internal import Models
internal import Foundation
public import Imaging
public import CaptionMetrics

/// All that an evaluation comes to but the images one by one.
public struct EvaluationSummary: Sendable {
  /// The scores of all images.
  public let scores: Scores
  /// How long captioning and scoring took, the features included.
  public let seconds: Double
  /// How the photos were decoded; nil where there were none.
  public let decoding: PhotoDecoding?
  /// How far captions can be trusted; nil where there are too few captions to tell.
  public let trust: Trust?
  /// What retrieval found, if it was tried.
  public let retrieval: Retrieval?
  /// What ways of searching gave, if they were compared.
  public let sweep: [SweepPoint]?
  /// How well given words are said, if there were some.
  public var words: WordScores?

  /// A summary.
  public init(
    scores: Scores, seconds: Double, decoding: PhotoDecoding? = nil, trust: Trust? = nil,
    retrieval: Retrieval? = nil, sweep: [SweepPoint]? = nil
  ) {
    self.scores = scores
    self.seconds = seconds
    self.decoding = decoding
    self.trust = trust
    self.retrieval = retrieval
    self.sweep = sweep
  }

  /// Images in a second.
  public var imagesPerSecond: Double { (scores[.images] ?? 0) / max(seconds, 1e-9) }
}

extension EvaluationSummary: Encodable {
  private enum Key: String, CodingKey {
    case seconds, retrieval, sweep, words
    case exactDecoding = "exact_decoding"
    case imagesPerSecond = "images_per_second"
    case confidenceThreshold = "confidence_threshold"
    case confidenceBaseRate = "confidence_base_rate"
    case confidenceCalibrationError = "confidence_ECE"
    case confidenceAUC = "confidence_AUC"
    case confidenceBrierScore = "confidence_Brier"
  }

  /// One object: the scores by name, and what else there is.
  public func encode(to encoder: any Encoder) throws {
    try scores.encode(to: encoder)
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(seconds, forKey: .seconds)
    // A number, as all of the scores are.
    if let decoding { try container.encode(decoding == .exact ? 1 : 0, forKey: .exactDecoding) }
    try container.encode(imagesPerSecond, forKey: .imagesPerSecond)
    if let trust {
      try container.encode(trust.threshold, forKey: .confidenceThreshold)
      try container.encode(trust.reliability.baseRate, forKey: .confidenceBaseRate)
      try container.encode(
        trust.reliability.expectedCalibrationError, forKey: .confidenceCalibrationError)
      try container.encode(trust.reliability.auc, forKey: .confidenceAUC)
      try container.encode(trust.reliability.brierScore, forKey: .confidenceBrierScore)
    }
    try container.encodeIfPresent(retrieval, forKey: .retrieval)
    try container.encodeIfPresent(sweep, forKey: .sweep)
    try container.encodeIfPresent(words, forKey: .words)
  }
}
