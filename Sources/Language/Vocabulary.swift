/// The words a model knows, each with an id: 0 `<pad>`, 1 `<s>`, 2 `</s>`, 3 `<unk>`, then words by falling count.
public struct Vocabulary: Sendable, Equatable {
  /// The id that fills what is no word.
  public static let padding: Int32 = 0
  /// The id that opens every caption.
  public static let start: Int32 = 1
  /// The id that ends every caption.
  public static let end: Int32 = 2
  /// The id of every word that is not in the vocabulary.
  public static let unknown: Int32 = 3
  /// The words with a fixed id, in the order of their ids.
  public static let specialWords = ["<pad>", "<s>", "</s>", "<unk>"]

  /// All words; a word's index is its id.
  public let words: [String]
  /// What takes text apart into such words, and puts them together.
  public let tokenizer: Tokenizer
  private let ids: [String: Int32]

  /// The vocabulary of a list such as `words` gave.
  /// - Throws: `VocabularyError` when the list does not start with the special words, or a word is empty, holds
  ///   white space or comes twice.
  public init(words: [String]) throws(VocabularyError) {
    for (id, special) in Vocabulary.specialWords.enumerated() {
      let found = id < words.count ? words[id] : nil
      guard found == special else { throw .missingSpecial(id: id, expected: special, found: found) }
    }
    var ids: [String: Int32] = [:]
    ids.reserveCapacity(words.count)
    for (id, word) in words.enumerated() {
      guard !word.isEmpty, !word.contains(where: \.isWhitespace) else { throw .notAWord(id: id, word: word) }
      if let first = ids.updateValue(Int32(truncatingIfNeeded: id), forKey: word) {
        throw .duplicate(word: word, ids: [Int(first), id])
      }
    }
    self.words = words
    self.ids = ids
    tokenizer = Tokenizer(thatGave: words)
  }

  /// The special words and every word that `counts` holds at least `minimumCount` times, by falling count, then
  /// alphabetically (by Unicode scalars).
  public init(counts: [String: Int], minimumCount: Int) {
    let kept = counts.filter { word, count in
      count >= minimumCount && !word.isEmpty && !word.contains(where: \.isWhitespace)
        && !Vocabulary.specialWords.contains(word)
    }
    let sorted = kept.sorted { a, b in
      a.value != b.value
        ? a.value > b.value : a.key.unicodeScalars.lexicographicallyPrecedes(b.key.unicodeScalars)
    }
    words = Vocabulary.specialWords + sorted.map(\.key)
    var ids: [String: Int32] = [:]
    for (id, word) in words.enumerated() { ids[word] = Int32(truncatingIfNeeded: id) }
    self.ids = ids
    tokenizer = Tokenizer(thatGave: words)
  }

  /// How often each word occurs in `captions`, which are already tokens.
  public static func counts(of captions: some Sequence<[String]>) -> [String: Int] {
    var counts: [String: Int] = [:]
    for caption in captions { for word in caption { counts[word, default: 0] += 1 } }
    return counts
  }

  /// The number of words V, the special ones included.
  public var count: Int { words.count }

  /// The id of a word; `nil` if the vocabulary lacks it.
  public func id(of word: String) -> Int32? { ids[word] }

  /// The word with an id; `<unk>` for an id out of range.
  public func word(for id: Int32) -> String {
    words.indices.contains(Int(id)) ? words[Int(id)] : Vocabulary.specialWords[Int(Vocabulary.unknown)]
  }

  /// The ids of a caption's words. Words that are unknown, or spelled like a special one, become `<unk>`; nothing is
  /// added at the ends.
  public func encode(_ tokens: [String]) -> [Int32] {
    tokens.map { word in
      guard let id = ids[word], id > Vocabulary.unknown else { return Vocabulary.unknown }
      return id
    }
  }

  /// The words of a caption's ids, up to the first `</s>`; `<pad>` and `<s>` are left out.
  public func decode(_ ids: some Sequence<Int32>) -> [String] {
    ids.prefix { $0 != Vocabulary.end }
      .filter { $0 != Vocabulary.padding && $0 != Vocabulary.start }
      .map(word(for:))
  }
}

extension Vocabulary: Codable {
  /// Reads a list of words.
  /// - Throws: `DecodingError`; `VocabularyError` when the list is no vocabulary.
  public init(from decoder: any Decoder) throws {
    try self.init(words: decoder.singleValueContainer().decode([String].self))
  }

  /// Writes the list of words.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(words)
  }
}

/// A list of words that is no vocabulary; `description` says what is wrong where.
public enum VocabularyError: Error, Equatable, CustomStringConvertible {
  /// One of the special words is not at its id.
  case missingSpecial(id: Int, expected: String, found: String?)
  /// A word is empty or holds white space.
  case notAWord(id: Int, word: String)
  /// A word comes twice.
  case duplicate(word: String, ids: [Int])

  /// One line for people.
  public var description: String {
    switch self {
    case .missingSpecial(let id, let expected, let found):
      "vocabulary: word \(id) must be \(expected), found \(found.map { "\($0.debugDescription)" } ?? "no word")"
    case .notAWord(let id, let word):
      "vocabulary: word \(id) is \(word.debugDescription): empty or with white space"
    case .duplicate(let word, let ids):
      "vocabulary: \(word.debugDescription) comes twice, as words \(ids.map(String.init).joined(separator: " and "))"
    }
  }
}
