import Captioning
import Evaluation

/// How far captions can be trusted: by the model's own confidence, or one fitted on the captions at hand.
struct ConfidenceReport {
  /// The CIDEr from which on a caption is good.
  let threshold: Double
  /// Of the model's own confidence, or cross-validated.
  let reliability: Reliability
  /// Whether the model brought it.
  let isModels: Bool
  /// Each caption's confidence, cross-validated where it is not the model's.
  let values: [Double]

  /// Writes the calibrated model to `destination`, if there is one.
  /// - Returns: nil where there are too few captions to tell.
  /// - Throws: `Failure` when the model is to be calibrated and there are too few.
  init?(
    _ evaluation: Evaluation, _ captioner: Captioner, threshold: Double, _ destination: String?
  ) throws {
    if destination == nil, let confidence = captioner.description.confidence,
      let reliability = evaluation.reliability(threshold: confidence.threshold)
    {
      (self.threshold, self.reliability, isModels) = (confidence.threshold, reliability, true)
      values = evaluation.rows.compactMap(\.caption.confidence)
      return
    }
    guard let calibration = evaluation.calibration(threshold: threshold) else {
      if destination == nil { return nil }
      let good = evaluation.rows.count { $0.cider >= threshold }
      throw Failure(
        description:
          "--calibrate: expected at least \(Calibration.fewest) captions with a CIDEr of \(threshold) or more "
          + "and as many below, found \(good) and \(evaluation.rows.count - good)")
    }
    if let destination { try ModelFile.calibrate(captioner.path, calibration.confidence, to: destination) }
    (self.threshold, reliability, isModels) = (threshold, calibration.reliability, false)
    values = calibration.heldOut
  }
}
