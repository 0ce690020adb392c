internal import Foundation
public import Language

/// The probability that a caption is good, told from its log-probability: a logistic regression (Platt 1999) on the
/// captions that the model made for validation images,
///
///     P(good) = σ(intercept + a · ln p / n + b · n + c · min ln pₜ + d · (ln p − ln p₀) / n)
///
/// where n are the words, `</s>` counted, pₜ is the probability of the least likely of them, p₀ the caption's without any
/// image (what the photo speaks for is likelier to be so than what is always said), and good means that `metric` of the
/// caption against the references is at least `threshold`.
public struct Confidence: Codable, Sendable, Equatable {
  /// The regression's constant.
  public let intercept: Double
  /// a: what a nat per word is worth.
  public let perNat: Double
  /// b: what a word is worth.
  public let perWord: Double
  /// c: what a nat of the least likely word is worth; 0 in files of earlier versions.
  public let perLowestNat: Double
  /// d: what a nat per word that the image adds is worth; 0 in files of earlier versions.
  public let perSupportNat: Double
  /// The score that tells good captions, by pycocoevalcap's name: `CIDEr`.
  public let metric: String
  /// The score from which on a caption is good.
  public let threshold: Double
  /// The images it was fitted on, and how many of their captions were good.
  public let images, good: Int
  /// The expected calibration error, cross-validated, 0…1.
  public let calibrationError: Double
  /// The probability below which a caption is called unsure; nil in files of before, and where nothing is that unsure.
  public var unsureBelow: Double?

  /// Of the captions that are called unsure, this share may be good after all.
  public static let goodAmongUnsure = 0.25

  /// The probability below which a caption is called unsure. Where the file has none `goodAmongUnsure` itself, since of captions of
  /// one probability that share is good.
  public var unsureThreshold: Double { unsureBelow ?? Self.goodAmongUnsure }

  enum CodingKeys: String, CodingKey {
    case intercept, metric, threshold, images, good
    case perNat = "per_nat"
    case perWord = "per_word"
    case perLowestNat = "per_lowest_nat"
    case perSupportNat = "per_support_nat"
    case calibrationError = "calibration_error"
    case unsureBelow = "unsure_below"
  }

  /// A fitted regression.
  /// - Parameter weights: those of a caption's `evidence`, in its order.
  public init(
    intercept: Double, weights: [Double], metric: String, threshold: Double, fitted: (images: Int, good: Int),
    calibrationError: Double
  ) {
    self.intercept = intercept
    let weights = weights + [0, 0, 0, 0]
    (perNat, perWord, perLowestNat, perSupportNat) = (weights[0], weights[1], weights[2], weights[3])
    self.metric = metric
    self.threshold = threshold
    images = fitted.images
    good = fitted.good
    self.calibrationError = calibrationError
  }

  /// Reads one.
  /// - Throws: `DecodingError` naming a number that is missing or that no calibration gives.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    func number<T: Decodable & Comparable>(_ key: CodingKeys, _ range: ClosedRange<T>) throws -> T {
      let value = try values.decode(T.self, forKey: key)
      guard range.contains(value) else {
        throw DecodingError.dataCorrupted(
          .init(
            codingPath: [],
            debugDescription:
              "\(Self.key).\(key.rawValue): expected \(range.lowerBound) to \(range.upperBound), found \(value)"
          ))
      }
      return value
    }
    intercept = try number(.intercept, -1e6...1e6)
    perNat = try number(.perNat, -1e6...1e6)
    perWord = try number(.perWord, -1e6...1e6)
    perLowestNat = values.contains(.perLowestNat) ? try number(.perLowestNat, -1e6...1e6) : 0
    perSupportNat = values.contains(.perSupportNat) ? try number(.perSupportNat, -1e6...1e6) : 0
    metric = try values.decode(String.self, forKey: .metric)
    threshold = try number(.threshold, 0...100)
    images = try number(.images, 0...Int(Int32.max))
    good = try number(.good, 0...images)
    calibrationError = try number(.calibrationError, 0...1)
    unsureBelow = values.contains(.unsureBelow) ? try number(.unsureBelow, 0...1) : nil
  }

  /// Whether a caption is to be called unsure.
  public func isUnsure(_ caption: Caption) -> Bool {
    (caption.confidence ?? self(caption)) < unsureThreshold
  }

  /// The key of a model file's metadata that holds it.
  public static let key = "confidence"

  /// What a confidence is told from: ln p / n, n, min ln pₜ and, where it is known, (ln p − ln p₀) / n. All finite.
  public static func evidence(_ caption: Caption) -> [Double] {
    // A caption that can't be may have ln p = -∞.
    let nats = [caption.normalizedLogProb, caption.lowestLogProb].map { max(-1e6, Double($0)) }
    return [nats[0], Double(caption.words.count), nats[1]]
      + (caption.support.map { [$0.isFinite ? min(max($0, -1e6), 1e6) : 0] } ?? [])
  }

  /// Whether a caption's `support` counts.
  public var needsSupport: Bool { perSupportNat != 0 }

  /// The probability that a caption is good, 0…1.
  public func callAsFunction(_ caption: Caption) -> Double {
    let logit = zip(Self.evidence(caption), [perNat, perWord, perLowestNat, perSupportNat]).reduce(intercept)
    {
      $0 + $1.0 * $1.1
    }
    return logit.isNaN ? 0 : 1 / (1 + exp(-logit))
  }
}
