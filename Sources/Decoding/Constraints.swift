public import Language

/// What a caption must and must not say. Nothing unless set.
///
/// The decoder's probabilities are not changed: words that may not follow leave the choice, not the softmax. Where no
/// word may follow, the caption may end, however short.
public struct Constraints: Sendable, Equatable {
  /// The first words, as ids.
  public internal(set) var prefix: [Int32] = []
  /// Words that the caption must contain, in any order, each at least once.
  public internal(set) var forced: [Int32] = []
  /// Words that are not chosen.
  public internal(set) var forbidden: [Int32] = []
  /// The n of n-grams that may not come twice in a caption; 0: all may. 3 is Paulus et al. 2018.
  public internal(set) var noRepeatNGram = 0

  /// No constraints.
  public init() {}

  /// Constraints as people write them. Words are those of the vocabulary, or text for the caption tokenizer.
  /// - Parameters:
  ///   - prefix: how the caption begins; nothing when empty.
  ///   - lengths: the words a caption may have.
  /// - Throws: `ConstraintError` naming a word that the vocabulary lacks, or rules that no caption can follow.
  public init(
    prefix: String = "", forced: [String] = [], forbidden: [String] = [], noRepeatNGram: Int = 0,
    lengths: ClosedRange<Int>, vocabulary: Vocabulary
  ) throws(ConstraintError) {
    self.prefix = try Self.ids(prefix, .prefix, vocabulary)
    for text in forced {
      for word in try Self.ids(text, .forced, vocabulary) where !self.forced.contains(word) {
        self.forced.append(word)
      }
    }
    for text in forbidden { self.forbidden += try Self.ids(text, .forbidden, vocabulary) }
    self.noRepeatNGram = max(0, noRepeatNGram)
    try check(lengths, vocabulary)
  }

  private static func ids(
    _ text: String, _ use: ConstraintError.Use, _ vocabulary: Vocabulary
  ) throws(ConstraintError) -> [Int32] {
    // Words as captions are printed with them go first: the tokenizer would take some apart (`-lrb-`).
    let words = text.split(whereSeparator: \.isWhitespace).map(String.init)
    let ids = vocabulary.encode(words)
    guard ids.contains(Vocabulary.unknown) else {
      if ids.isEmpty && use != .prefix { throw .unknownWord(text, use) }
      return ids
    }
    let tokens = vocabulary.tokenizer.tokens(text)
    let encoded = vocabulary.encode(tokens)
    if let place = encoded.firstIndex(of: Vocabulary.unknown) { throw .unknownWord(tokens[place], use) }
    if encoded.isEmpty { throw .unknownWord(text, use) }
    return encoded
  }

  private func check(_ lengths: ClosedRange<Int>, _ vocabulary: Vocabulary) throws(ConstraintError) {
    if let word = forced.first(where: forbidden.contains) {
      throw .forbidden(vocabulary.word(for: word), .forced)
    }
    if let word = prefix.first(where: forbidden.contains) {
      throw .forbidden(vocabulary.word(for: word), .prefix)
    }
    let needed = prefix.count + unmet(after: prefix).count
    if needed > lengths.upperBound { throw .tooLong(words: needed, maximum: lengths.upperBound) }
    if noRepeatNGram > 0 {
      for end in prefix.indices where banned(after: prefix[..<end]).contains(prefix[end]) {
        let start = max(0, end - noRepeatNGram + 1)
        throw .repeated(prefix[start...end].map(vocabulary.word).joined(separator: " "))
      }
    }
    let spoken = vocabulary.count - Vocabulary.specialWords.count - Set(forbidden).count
    let most = spoken == 0 ? 0 : noRepeatNGram == 1 ? spoken : Int.max
    if lengths.lowerBound > most { throw .tooFewWords(most, minimum: lengths.lowerBound) }
  }
}

/// Constraints that can't be met.
public enum ConstraintError: Error, Equatable, CustomStringConvertible {
  /// What a word was given for.
  public enum Use: String, Sendable { case prefix, forced, forbidden }

  /// The vocabulary lacks it.
  case unknownWord(String, Use)
  /// It is forbidden, and yet forced or in the prefix.
  case forbidden(String, Use)
  /// The prefix repeats an n-gram of a length that may not come twice.
  case repeated(String)
  /// Prefix and forced words are more than a caption may have.
  case tooLong(words: Int, maximum: Int)
  /// Without repeats, so few words are left that no caption is long enough.
  case tooFewWords(Int, minimum: Int)

  /// One line for people.
  public var description: String {
    switch self {
    case .unknownWord(let word, _): "\"\(word)\" is not in the model's vocabulary"
    case .forbidden(let word, .prefix): "\"\(word)\" is in the prefix and forbidden"
    case .forbidden(let word, let use): "\"\(word)\" is both \(use.rawValue) and forbidden"
    case .repeated(let words): "the prefix repeats \"\(words)\", which no caption may"
    case .tooLong(let words, let maximum):
      "prefix and forced words: expected at most \(maximum) words, the maximal length, found \(words)"
    case .tooFewWords(let words, let minimum):
      "a caption of at least \(minimum) words: only \(words) may be spoken"
    }
  }
}
