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

    /// The coverage below which a vocabulary knows too few words: scores then say little.
    public static let leastCoverage = 0.8

    /// The share of tokens that the vocabulary knows; 1 if there are none.
    public var coverage: Double { tokens == 0 ? 1 : 1 - Double(unknownTokens) / Double(tokens) }
    /// Words in the mean caption; 0 if there is none.
    public var meanLength: Double { captions == 0 ? 0 : Double(tokens) / Double(captions) }
  }

  /// Counts how well the vocabulary covers `captions`, which are already tokens.
  public func statistics(of captions: some Collection<[String]>) -> Statistics {
    statistics(counts: Vocabulary.counts(of: captions), lengths: captions.lazy.map(\.count))
  }

  /// Counts how well the vocabulary covers captions of which only the words' counts and the captions' lengths are
  /// known.
  public func statistics(counts: [String: Int], lengths: some Sequence<Int>) -> Statistics {
    var captionsByLength: [Int] = []
    for length in lengths {
      if length >= captionsByLength.count {
        captionsByLength.append(contentsOf: repeatElement(0, count: length + 1 - captionsByLength.count))
      }
      captionsByLength[length] += 1
    }
    let known = counts.filter { encode([$0.key]) != [Vocabulary.unknown] }
    let tokens = counts.values.reduce(0, +)
    return Statistics(
      captions: captionsByLength.reduce(0, +), tokens: tokens, distinctWords: counts.count,
      knownWords: known.count, unknownTokens: tokens - known.values.reduce(0, +),
      captionsByLength: captionsByLength)
  }
}
