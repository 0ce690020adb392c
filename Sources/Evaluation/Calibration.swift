public import Models
public import Language
internal import Support

/// Fits a model's confidence on the captions it made for validation images, and judges it by cross-validation.
public struct Calibration: Sendable {
  /// The regression on all captions, for the model file.
  public let confidence: Confidence
  /// The probability of each caption by the regression on the other folds' captions.
  public let heldOut: [Double]
  /// How well those agree with what came true.
  public let reliability: Reliability

  /// The fewest captions, good ones and others each, that a fit makes sense of.
  public static let fewest = 10

  /// Fits on `captions`, of different images. nil where fewer than `fewest` are good, or fewer than that are not.
  /// - Parameters:
  ///   - scores: each caption's `metric` against its references; from `threshold` on it is good.
  ///   - folds: the parts that are left out in turn, drawn from `seed`.
  public init?(
    _ captions: [Caption], scores: [Double], metric: String, threshold: Double, folds: Int = 10,
    seed: UInt64 = 1
  ) {
    precondition(captions.count == scores.count && folds > 1)
    // What the image adds counts where it is known of all.
    let known = captions.map(Confidence.evidence)
    let size = known.map(\.count).min() ?? 0
    let x = known.map { Array($0.prefix(size)) }
    let good = scores.map { $0 >= threshold }
    let positives = good.count { $0 }
    guard positives >= Self.fewest, good.count - positives >= Self.fewest else { return nil }
    var random = Random(seed: seed)
    let shuffled = x.indices.shuffled(using: &random)
    var heldOut = [Double](repeating: 0, count: x.count)
    for fold in 0..<folds {
      let isLeftOut = { (place: Int) in place % folds == fold }
      let kept = shuffled.indices.filter { !isLeftOut($0) }.map { shuffled[$0] }
      let fitted = LogisticRegression(kept.map { x[$0] }, kept.map { good[$0] })
      for place in shuffled.indices where isLeftOut(place) {
        heldOut[shuffled[place]] = fitted.probability(x[shuffled[place]])
      }
    }
    self.heldOut = heldOut
    reliability = Reliability(heldOut, good)
    let fitted = LogisticRegression(x, good)
    var confidence = Confidence(
      intercept: fitted.constant, weights: fitted.weights, metric: metric, threshold: threshold,
      fitted: (images: captions.count, good: positives),
      calibrationError: reliability.expectedCalibrationError)
    confidence.unsureBelow = Self.unsureBelow(heldOut, good)
    self.confidence = confidence
  }

  /// The highest confidence below which no more than `Confidence.goodAmongUnsure` of the captions are good; nil where fewer than
  /// `fewest` captions would be below it.
  static func unsureBelow(_ confidences: [Double], _ good: [Bool]) -> Double? {
    let order = confidences.indices.sorted { confidences[$0] < confidences[$1] }
    var found: Double?
    var goodOnes = 0
    for (count, caption) in order.enumerated() {
      // The captions before this one, all of which are told less: equal ones are on one side.
      if count >= fewest, confidences[order[count - 1]] < confidences[caption],
        Double(goodOnes) <= Confidence.goodAmongUnsure * Double(count)
      {
        found = confidences[caption]
      }
      if good[caption] { goodOnes += 1 }
    }
    return found
  }
}
