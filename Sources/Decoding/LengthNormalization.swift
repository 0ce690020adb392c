internal import Foundation

/// How captions of different lengths are compared. Log-probabilities only fall with every word, so their plain sum
/// prefers short captions.
public enum LengthNormalization: Sendable, Equatable, Codable {
  /// By ln p.
  case none
  /// By ln p / length: the mean of a word.
  case average
  /// By ln p / ((5 + length) / 6)^α (Wu et al. 2016, "Google's Neural Machine Translation System"); α ≥ 0, and 0 is
  /// `none`.
  case wu(alpha: Double)

  /// What captions are ranked by, the larger the better.
  /// - Parameters:
  ///   - logProb: ln p of the caption, at most 0.
  ///   - length: its words, `</s>` counted, so at least 1.
  public func score(logProb: Double, length: Int) -> Double {
    switch self {
    case .none: logProb
    case .average: logProb / Double(max(1, length))
    case .wu(let alpha): logProb / pow(Double(5 + max(1, length)) / 6, alpha)
    }
  }

  /// The best score that a caption of `logProb` so far can reach with a length in `lengths`: as if the rest were
  /// certain.
  func bound(logProb: Double, lengths: ClosedRange<Int>) -> Double {
    max(
      score(logProb: logProb, length: lengths.lowerBound), score(logProb: logProb, length: lengths.upperBound)
    )
  }
}
