internal import Foundation
public import Language

/// What came out of captioning a data set.
public struct Evaluation: Sendable {
  /// One image's outcome.
  public struct Row: Sendable {
    /// The image's id.
    public let imageID: Int
    /// Its file as the caption file names it, and where that is.
    public let fileName, path: String
    /// The captions that were made, the best first.
    public let captions: [Caption]
    /// The captions that people wrote, as they wrote them.
    public let references: [String]
    /// The same as the model reads them, with ln p and rank of every word.
    public let scoredReferences: [Caption]
    /// The best caption's scores against the references: BLEU-4 and ROUGE-L 0…1, CIDEr 0…10.
    public let bleu4, rougeL, cider: Double

    /// The caption that counts.
    public var caption: Caption { captions[0] }
  }

  /// The scores of a data set.
  public struct Scores: Sendable, Equatable {
    /// Images that were captioned.
    public let images: Int
    /// BLEU-1 to BLEU-4 of the captions, 0 to 1.
    public let bleu: [Double]
    /// ROUGE-L, 0 to 1, and CIDEr, 0 to 10, of the captions.
    public let rougeL, cider: Double
    /// Mean log-probability of the captions, in all and per word.
    public let meanLogProb, meanNormalizedLogProb: Double
    /// Mean words of the captions.
    public let meanLength: Double
    /// Nats per word of the references, unknown words and end tokens counted.
    public let loss: Double
    /// The same with every image exchanged for another: how much the model looks.
    public let shuffledLoss: Double
    /// The share of the references' words that are the likeliest word in their place, and among the five likeliest.
    public let wordsFirst, wordsAmongFive: Double
    /// Share of captions that differ from all others.
    public let distinct: Double
    /// distinct-1 and distinct-2: shares of different words and pairs of words.
    public let distinctWords, distinctPairs: Double
    /// 95 % intervals of scores by pycocoevalcap's names.
    public let intervals: [String: ClosedRange<Double>]
    /// e^loss.
    public var perplexity: Double { exp(loss) }
  }

  /// The scores of all.
  public let scores: Scores
  /// Image by image, in the order they were given.
  public let rows: [Row]

  /// Fits the confidence on the best captions' CIDEr; nil where too few are good, or not good, to tell.
  public func calibration(threshold: Double) -> Calibration? {
    Calibration(rows.map(\.caption), scores: rows.map(\.cider), metric: "CIDEr", threshold: threshold)
  }

  /// How well the confidence that the captions already have agrees with their CIDEr; nil if any has none.
  public func reliability(threshold: Double) -> Reliability? {
    let told = rows.compactMap(\.caption.confidence)
    guard told.count == rows.count, !rows.isEmpty else { return nil }
    return Reliability(told, rows.map { $0.cider >= threshold })
  }
}
