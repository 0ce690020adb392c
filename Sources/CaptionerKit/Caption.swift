internal import Language

/// A sentence about a photo, and how likely the model finds it.
public struct Caption: Sendable, Equatable, Codable, CustomStringConvertible {
  /// A word of a caption.
  public struct Word: Sendable, Equatable, Codable {
    /// The word; `</s>` is the caption's end.
    public let text: String
    /// Its log-probability given the words before it, a natural logarithm, at most 0.
    public let logProb: Double
    /// Its place among all words that the model knows, 1 the likeliest; nil where the model chose it itself.
    public let rank: Int?

    enum CodingKeys: String, CodingKey {
      case text, rank
      case logProb = "log_prob"
    }
  }

  /// The sentence, words with a space between them.
  public let text: String
  /// Its log-probability, a natural logarithm: the sum over its words and its end.
  public let logProb: Double
  /// The probability that it is a good one, 0…1; nil where the model was not calibrated.
  public let confidence: Double?
  /// Its words; the last is `</s>`.
  public let words: [Word]

  enum CodingKeys: String, CodingKey {
    case text, confidence, words
    case logProb = "log_prob"
  }

  /// The sentence.
  public var description: String { text }

  init(_ caption: Language.Caption) {
    text = caption.text
    logProb = Double(caption.logProb)
    confidence = caption.confidence
    words = caption.words.map { Word(text: $0.word, logProb: Double($0.logProb), rank: $0.rank) }
  }
}
