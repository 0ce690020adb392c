extension Vocabulary {
  /// How well a vocabulary covers a set of captions.
  public struct Statistics: Sendable, Equatable, Encodable {
    /// Captions counted.
    public let captions: Int
    /// Words in all captions, each occurrence counted.
    public let tokens: Int
    /// Different words in all captions.
    public let distinctWords: Int
    /// Different words that the vocabulary knows.
    public let knownWords: Int
    /// Occurrences of words that the vocabulary lacks.
    public let unknownTokens: Int
    /// `captionsByLength[n]` captions have n words; the last count is not 0.
    public let captionsByLength: [Int]

    /// The share of tokens that the vocabulary knows; 1 if there are none.
    public var coverage: Double { tokens == 0 ? 1 : 1 - Double(unknownTokens) / Double(tokens) }
    /// Words in the mean caption; 0 if there is none.
    public var meanLength: Double { captions == 0 ? 0 : Double(tokens) / Double(captions) }
  }

  /// Counts how well the vocabulary covers `captions`, which are already tokens.
  public func statistics(of captions: some Sequence<[String]>) -> Statistics {
    var counts: [String: Int] = [:]
    var lengths: [Int] = []
    for caption in captions {
      for word in caption { counts[word, default: 0] += 1 }
      if caption.count >= lengths.count {
        lengths.append(contentsOf: repeatElement(0, count: caption.count + 1 - lengths.count))
      }
      lengths[caption.count] += 1
    }
    let known = counts.filter { encode([$0.key]) != [Vocabulary.unknown] }
    let tokens = counts.values.reduce(0, +)
    return Statistics(
      captions: lengths.reduce(0, +), tokens: tokens, distinctWords: counts.count, knownWords: known.count,
      unknownTokens: tokens - known.values.reduce(0, +), captionsByLength: lengths)
  }
}
