public import Models

/// How far captions can be trusted: by the model's own confidence, or one fitted on the captions at hand.
public struct Trust: Sendable {
  /// The CIDEr from which on a caption is good.
  public let threshold: Double
  /// The reliability diagram: of the model's own confidence, or cross-validated.
  public let reliability: Reliability
  /// Each caption's confidence, in the order of the evaluation's rows; cross-validated where it is not the model's.
  public let confidences: [Double]
  /// Whether the model brought its confidence.
  public let isModels: Bool

  /// What is known of the confidence.
  public init(threshold: Double, reliability: Reliability, confidences: [Double], isModels: Bool) {
    self.threshold = threshold
    self.reliability = reliability
    self.confidences = confidences
    self.isModels = isModels
  }

  /// How well the model's own confidence agrees with the captions' CIDEr, at the threshold it was fitted for; nil if it
  /// has none.
  public init?(_ evaluation: Evaluation, of confidence: Confidence?) {
    guard let confidence, let reliability = evaluation.reliability(threshold: confidence.threshold) else {
      return nil
    }
    self.init(
      threshold: confidence.threshold, reliability: reliability,
      confidences: evaluation.rows.compactMap(\.caption.confidence), isModels: true)
  }

  /// What a confidence comes to that is fitted on the captions at hand, cross-validated.
  public init(_ calibration: Calibration) {
    self.init(
      threshold: calibration.confidence.threshold, reliability: calibration.reliability,
      confidences: calibration.heldOut, isModels: false)
  }
}
