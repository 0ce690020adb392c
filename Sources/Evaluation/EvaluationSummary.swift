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
  /// What each of several caption files comes to by itself; empty of one.
  public var sources: [Source] = []

  /// A caption file, its scores, and how far its captions can be trusted.
  public struct Source: Sendable {
    /// The file, as it was named.
    public let captions: String
    /// Its scores.
    public let scores: SourceScores
    /// How the confidence of its captions agrees with what came true; nil where there is none.
    public let reliability: Reliability?

    /// The caption files that were named, where there are several.
    public static func all(_ files: [String], of evaluation: Evaluation, trust: Trust?) -> [Source] {
      guard files.count > 1 else { return [] }
      return evaluation.sources().map { scores in
        Source(
          captions: files[scores.source], scores: scores,
          reliability: trust.map { scores.reliability(of: $0.confidences, threshold: $0.threshold) })
      }
    }
  }

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
    case seconds, retrieval, sweep, words, sources
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
    if !sources.isEmpty { try container.encode(sources, forKey: .sources) }
  }
}

extension EvaluationSummary.Source: Encodable {
  private enum Key: String, CodingKey {
    case captions
    case confidenceBaseRate = "confidence_base_rate"
    case confidenceCalibrationError = "confidence_ECE"
  }

  /// One object: the file, its scores by name, and its confidence's calibration error.
  public func encode(to encoder: any Encoder) throws {
    try scores.scores.encode(to: encoder)
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(captions, forKey: .captions)
    try container.encodeIfPresent(reliability?.baseRate, forKey: .confidenceBaseRate)
    try container.encodeIfPresent(reliability?.expectedCalibrationError, forKey: .confidenceCalibrationError)
  }
}
