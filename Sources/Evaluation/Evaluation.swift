public import Language
public import CaptionMetrics

/// What came out of captioning a data set.
public struct Evaluation: Sendable {
  /// One image's outcome.
  public struct Row: Sendable {
    /// The image and the captions that people wrote.
    public let image: EvaluatedImage
    /// The captions that were made, the best first.
    public let captions: [Caption]
    /// The references as the model reads them, with ln p of every word, and its rank where the model tells it.
    public let scoredReferences: [Caption]
    /// The best caption's scores against the references, by all metrics.
    public let scores: Scores

    /// The caption that counts.
    public var caption: Caption { captions[0] }
  }

  /// The scores of all.
  public let scores: Scores
  /// Image by image, in the order they were given.
  public let rows: [Row]

  /// Fits the confidence on the best captions' CIDEr, of several caption files each among its own images.
  /// - Throws: `EvaluationError.tooFewToCalibrate` where too few are good, or not good, to tell.
  public func calibration(threshold: Double) throws(EvaluationError) -> Calibration {
    let ciders = cidersBySource
    let calibration = Calibration(
      rows.map(\.caption), scores: ciders, metric: ScoreName.cider.key, threshold: threshold)
    guard let calibration else {
      let good = ciders.count { $0 >= threshold }
      throw .tooFewToCalibrate(threshold: threshold, good: good, others: ciders.count - good)
    }
    return calibration
  }

  /// How well the confidence that the captions already have agrees with their CIDEr; nil if any has none.
  public func reliability(threshold: Double) -> Reliability? {
    let told = rows.compactMap(\.caption.confidence)
    guard told.count == rows.count, !rows.isEmpty else { return nil }
    return Reliability(told, cidersBySource.map { $0 >= threshold })
  }
}
