internal import Foundation
internal import Language
public import CaptionMetrics

extension ScoreName {
  /// Nats per word of the references, unknown words and end tokens counted.
  public static let loss = ScoreName("loss", title: "loss per word")
  /// The same with every image exchanged for another: how much the model looks.
  public static let mismatchedImageLoss = ScoreName(
    "mismatched_image_loss", title: "… mismatched images")
  /// e^loss.
  public static let perplexity = ScoreName("perplexity", title: "perplexity")
  /// The share of the references' words that are the likeliest word in their place, 0…1.
  public static let wordsFirst = ScoreName("word_top_1", title: "words guessed first")
  /// The share of them that are among the five likeliest, 0…1.
  public static let wordsAmongFive = ScoreName("word_top_5", title: "… among five")
  /// Mean log-probability of the captions.
  public static let meanLogProb = ScoreName("mean_log_prob", title: "mean log-prob")
  /// The same per word.
  public static let meanNormalizedLogProb = ScoreName("mean_normalized_log_prob", title: "… per word")
}

/// The scores that are asked for most; NaN where they were not computed.
extension Scores {
  /// BLEU-1, 0…1.
  public var bleu1: Double { self[.bleu1] ?? .nan }
  /// BLEU-4, 0…1.
  public var bleu4: Double { self[.bleu4] ?? .nan }
  /// ROUGE-L, 0…1.
  public var rougeL: Double { self[.rougeL] ?? .nan }
  /// CIDEr-D, 0…10.
  public var cider: Double { self[.cider] ?? .nan }
  /// The share of captions that differ from all others, 0…1.
  public var distinct: Double { self[.distinct] ?? .nan }
  /// Nats per word of the references.
  public var loss: Double { self[.loss] ?? .nan }
  /// The same with every image exchanged for another.
  public var mismatchedImageLoss: Double { self[.mismatchedImageLoss] ?? .nan }
  /// e^loss.
  public var perplexity: Double { self[.perplexity] ?? .nan }

  /// Whether all images get much the same caption, whatever they show.
  public var hasCollapsed: Bool { distinct < 0.05 && mismatchedImageLoss - loss < 0.05 }

  /// Whether all of several images get the very same caption.
  public var isMonotonous: Bool {
    let images = self[.images] ?? 0
    return images > 1 && distinct * images < 1.5
  }

  /// Adds what the model thinks of its captions.
  mutating func add(_ captions: [Caption]) {
    let count = Double(max(1, captions.count))
    self[.meanLogProb] = captions.reduce(0) { $0 + Double($1.logProb) } / count
    self[.meanNormalizedLogProb] = captions.reduce(0) { $0 + Double($1.normalizedLogProb) } / count
  }

  mutating func add(_ likelihood: Likelihood) {
    let words = Double(max(1, likelihood.words))
    self[.loss] = likelihood.loss / words
    self[.mismatchedImageLoss] = likelihood.mismatchedLoss / words
    self[.perplexity] = exp(likelihood.loss / words)
    if likelihood.ranked == likelihood.words {
      self[.wordsFirst] = Double(likelihood.first) / words
      self[.wordsAmongFive] = Double(likelihood.amongFive) / words
    }
  }
}

/// What a model thinks of given captions, summed over their words.
struct Likelihood {
  /// Words and ends, and those of them whose rank is known.
  private(set) var words = 0
  private(set) var ranked = 0
  /// −ln p, and the same with other images.
  private(set) var loss = 0.0
  private(set) var mismatchedLoss = 0.0
  /// Words that are the likeliest, and among the five likeliest.
  private(set) var first = 0
  private(set) var amongFive = 0

  mutating func add(_ caption: Caption) {
    for word in caption.words {
      loss -= Double(word.logProb)
      words += 1
      guard let rank = word.rank else { continue }
      ranked += 1
      first += rank == 1 ? 1 : 0
      amongFive += rank <= 5 ? 1 : 0
    }
  }

  mutating func add(mismatched caption: Caption) {
    for word in caption.words { mismatchedLoss -= Double(word.logProb) }
  }
}
