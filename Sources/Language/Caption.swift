/// A caption with the natural log-probability of every word, `</s>` included.
public struct Caption: Sendable, Equatable {
  /// A word and its log-probability given the words before it.
  public struct ScoredWord: Sendable, Equatable {
    /// The word.
    public let word: String
    /// ln p(word), at most 0.
    public let logProb: Float
    /// The word's place among all words of the vocabulary, 1 the likeliest; nil where nobody asked.
    public let rank: Int?
    /// The likeliest other words in its place, the likeliest first; empty where nobody asked.
    public let runnersUp: [ScoredWord]

    /// A word with its log-probability.
    public init(word: String, logProb: Float, rank: Int? = nil, runnersUp: [ScoredWord] = []) {
      self.word = word
      self.logProb = logProb
      self.rank = rank
      self.runnersUp = runnersUp
    }
  }

  /// The words in order; the last is `</s>`.
  public let words: [ScoredWord]
  /// The caption's log-probability: the sum over its words.
  public let logProb: Float
  /// The words as text, without `</s>`: with spaces between them, but for characters of scripts that have none.
  public let text: String
  /// How much the image speaks for the caption, in nats per word: (ln p(caption | image) − ln p(caption)) / words, the
  /// second without any image; nil where nobody asked.
  public var support: Double?
  /// The probability that the caption is a good one, 0…1; nil where the model can't tell.
  public var confidence: Double?

  /// A caption of scored words, which end in `</s>`.
  /// - Parameter tokenizer: the one of the words' vocabulary.
  public init(words: [ScoredWord], _ tokenizer: Tokenizer = Tokenizer()) {
    self.words = words
    let end = Vocabulary.specialWords[Int(Vocabulary.end)]
    text = tokenizer.text(of: (words.last?.word == end ? words.dropLast() : words[...]).map(\.word))
    logProb = Float(words.reduce(0.0) { $0 + Double($1.logProb) })
  }

  /// ln p of the least likely word; 0 of no words.
  public var lowestLogProb: Float { words.map(\.logProb).min() ?? 0 }

  /// The log-probability per word, `</s>` counted as one; 0 of no words.
  public var normalizedLogProb: Float { words.isEmpty ? 0 : logProb / Float(words.count) }
}

extension Caption: Encodable {
  private enum CodingKeys: String, CodingKey {
    case caption, words, confidence
    case logProb = "log_prob"
    case normalizedLogProb = "normalized_log_prob"
  }

  /// Writes `{"caption": …, "log_prob": …, "normalized_log_prob": …, "words": [{"word": …, "log_prob": …}, …]}` and,
  /// where it is known, `confidence`.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(text, forKey: .caption)
    try container.encode(logProb.finite, forKey: .logProb)
    try container.encode(normalizedLogProb.finite, forKey: .normalizedLogProb)
    try container.encodeIfPresent(confidence, forKey: .confidence)
    try container.encode(words, forKey: .words)
  }
}

extension Caption.ScoredWord: Encodable {
  private enum CodingKeys: String, CodingKey {
    case word, rank
    case logProb = "log_prob"
    case runnersUp = "runners_up"
  }

  /// Writes `{"word": …, "log_prob": …}` and, where they are known, `rank` and `runners_up`, a list of the same.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(word, forKey: .word)
    try container.encode(logProb.finite, forKey: .logProb)
    try container.encodeIfPresent(rank, forKey: .rank)
    if !runnersUp.isEmpty { try container.encode(runnersUp, forKey: .runnersUp) }
  }
}

extension Float {
  /// JSON has no infinity: the probability 0 is written as the least one a `Float` log can hold.
  fileprivate var finite: Float { isFinite ? self : -.greatestFiniteMagnitude }
}
