internal import Captioning
public import Decoding
internal import Language
internal import Metrics

/// What one way of searching gives.
public struct SweepPoint: Sendable {
  /// The way.
  public let options: BeamOptions
  /// BLEU-1 to BLEU-4 and ROUGE-L, 0 to 1; CIDEr, 0 to 10.
  public let bleu: [Double]
  /// See `bleu`.
  public let rougeL, cider: Double
  /// Means over the captions: log-probability, and words.
  public let meanLogProb, meanLength: Double
  /// Share of captions that differ from all others.
  public let distinct: Double
  /// How long the search took, and images in a second of it.
  public let seconds, imagesPerSecond: Double

  init(_ options: BeamOptions, _ captions: [Caption], _ scores: CaptionScores, seconds: Double) {
    self.options = options
    (bleu, rougeL, cider) = (scores.bleu.corpus, scores.rougeL.corpus, scores.cider.corpus)
    let count = Double(max(1, captions.count))
    meanLogProb = captions.reduce(0) { $0 + Double($1.logProb) } / count
    meanLength = captions.reduce(0) { $0 + Double($1.words.count - 1) } / count
    distinct = Double(Set(captions.map(\.text)).count) / count
    (self.seconds, imagesPerSecond) = (seconds, count / max(seconds, 1e-9))
  }
}
