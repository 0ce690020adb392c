/// A caption with the natural log-probability of every word, `</s>` included.
public struct Caption: Sendable, Equatable {
  /// A word and its log-probability given the words before it.
  public struct ScoredWord: Sendable, Equatable {
    /// The word.
    public let word: String
    /// ln p(word), at most 0.
    public let logProb: Float

    /// A word with its log-probability.
    public init(word: String, logProb: Float) { (self.word, self.logProb) = (word, logProb) }
  }

  /// The words in order; the last is `</s>`.
  public let words: [ScoredWord]
  /// The caption's log-probability: the sum over its words.
  public let logProb: Float

  /// A caption of scored words, which end in `</s>`.
  public init(words: [ScoredWord]) {
    self.words = words
    logProb = Float(words.reduce(0.0) { $0 + Double($1.logProb) })
  }

  /// The words with spaces between them, without `</s>`.
  public var text: String {
    let end = Vocabulary.specialWords[Int(Vocabulary.end)]
    return (words.last?.word == end ? words.dropLast() : words[...]).map(\.word).joined(separator: " ")
  }
}

extension Caption: Encodable {
  private enum CodingKeys: String, CodingKey {
    case caption, words
    case logProb = "log_prob"
  }

  /// Writes `{"caption": …, "log_prob": …, "words": [{"word": …, "log_prob": …}, …]}`.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(text, forKey: .caption)
    try container.encode(logProb.finite, forKey: .logProb)
    try container.encode(words, forKey: .words)
  }
}

extension Caption.ScoredWord: Encodable {
  private enum CodingKeys: String, CodingKey {
    case word
    case logProb = "log_prob"
  }

  /// Writes `{"word": …, "log_prob": …}`.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(word, forKey: .word)
    try container.encode(logProb.finite, forKey: .logProb)
  }
}

extension Float {
  /// JSON has no infinity: the probability 0 is written as the least one a `Float` log can hold.
  fileprivate var finite: Float { isFinite ? self : -.greatestFiniteMagnitude }
}
