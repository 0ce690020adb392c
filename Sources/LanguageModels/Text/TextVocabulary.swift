public import Language

/// The characters or words that a language model knows, each with an id.
///
/// Characters are numbered by their code points; one that stands for all others, `<unk>`, may follow them. Words are those of
/// a `Vocabulary`, its special words included.
public struct TextVocabulary: Sendable, Equatable {
  private enum Tokens: Sendable, Equatable {
    case characters([Unicode.Scalar])
    case words(Vocabulary)
  }

  private let tokens: Tokens
  /// The id of what is not known; nil: there is none, and a text with such a character is refused.
  public let unknown: Int32?

  /// The most characters that a vocabulary has.
  public static let mostCharacters = 1 << 15

  /// The characters of a text that come at least `minimumCount` times.
  /// - Parameter hasUnknown: whether others have an id.
  public init(of text: CharacterText, minimumCount: Int, hasUnknown: Bool) {
    var counts: [Unicode.Scalar: Int] = [:]
    // Most are ASCII, which need no hashing.
    var ascii = [Int](repeating: 0, count: 128)
    for scalar in text.scalars {
      if scalar.value < 128 { ascii[Int(scalar.value)] += 1 } else { counts[scalar, default: 0] += 1 }
    }
    for (code, count) in ascii.enumerated() where count > 0 {
      counts[Unicode.Scalar(UInt8(code))] = count
    }
    self.init(
      characters: counts.filter { $0.value >= minimumCount }.keys.sorted(), hasUnknown: hasUnknown)
  }

  private init(characters: [Unicode.Scalar], hasUnknown: Bool) {
    tokens = .characters(characters)
    unknown = hasUnknown ? Int32(characters.count) : nil
  }

  /// Words.
  public init(_ words: Vocabulary) {
    tokens = .words(words)
    unknown = Vocabulary.unknown
  }

  /// What texts are sequences of.
  public var unit: TextUnit {
    switch tokens {
    case .characters: .characters
    case .words: .words
    }
  }

  /// V.
  public var count: Int {
    switch tokens {
    case .characters(let characters): characters.count + (unknown == nil ? 0 : 1)
    case .words(let words): words.count
    }
  }

  /// The words; nil for a vocabulary of characters.
  public var words: Vocabulary? {
    if case .words(let words) = tokens { words } else { nil }
  }

  /// What is never drawn: ids that no text has.
  public var unspoken: [Int32] {
    switch tokens {
    case .characters: unknown.map { [$0] } ?? []
    case .words: [Vocabulary.padding, Vocabulary.start, Vocabulary.unknown]
    }
  }

  /// The id that a text begins after: the end of a sentence, or of a line; nil: there is no such character.
  public var beginning: Int32? {
    switch tokens {
    case .characters: id(of: "\n")
    case .words: Vocabulary.end
    }
  }

  /// A character, or a word.
  public func text(of token: Int32) -> String {
    switch tokens {
    case .characters(let characters):
      characters.indices.contains(Int(token)) ? String(characters[Int(token)]) : Self.unknownText
    case .words(let words): words.word(for: token)
    }
  }

  /// The id of a character; `unknown` for others, and where the vocabulary is of words.
  public func id(of character: Unicode.Scalar) -> Int32? {
    guard case .characters(let characters) = tokens else { return unknown }
    var (low, high) = (0, characters.count)
    while low < high {
      let middle = (low + high) / 2
      if characters[middle] < character { low = middle + 1 } else { high = middle }
    }
    return low < characters.count && characters[low] == character ? Int32(low) : unknown
  }

  /// The ids of a text's characters.
  /// - Throws: the place of the first character that has none.
  func encode(_ text: ArraySlice<Unicode.Scalar>) throws(UnknownCharacter) -> [Int32] {
    let ascii = (0..<128).map { id(of: Unicode.Scalar(UInt8($0))) ?? -1 }
    var known: [Unicode.Scalar: Int32] = [:]
    var ids = [Int32](repeating: 0, count: text.count)
    for (place, scalar) in text.enumerated() {
      var id = scalar.value < 128 ? ascii[Int(scalar.value)] : known[scalar] ?? -2
      if id == -2 {
        id = self.id(of: scalar) ?? -1
        known[scalar] = id
      }
      guard id >= 0 else { throw UnknownCharacter(place: place, character: scalar) }
      ids[place] = id
    }
    return ids
  }

  private static let unknownText = Vocabulary.specialWords[Int(Vocabulary.unknown)]
}

/// A character that a vocabulary has no id for.
struct UnknownCharacter: Error {
  let place: Int
  let character: Unicode.Scalar
}

/// `{"characters": ["\n", " ", …], "unknown": true}` or `{"words": […]}`.
extension TextVocabulary: Codable {
  private enum CodingKeys: String, CodingKey { case characters, unknown, words }

  /// Reads either; refuses characters that are not one each, in order and different.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    if let words = try container.decodeIfPresent(Vocabulary.self, forKey: .words) {
      self.init(words)
      return
    }
    let texts = try container.decode([String].self, forKey: .characters)
    let characters = texts.compactMap { text in
      text.unicodeScalars.count == 1 ? text.unicodeScalars.first : nil
    }
    guard characters.count == texts.count, zip(characters, characters.dropFirst()).allSatisfy(<),
      (1...Self.mostCharacters).contains(characters.count)
    else {
      throw DecodingError.dataCorruptedError(
        forKey: .characters, in: container,
        debugDescription:
          "expected 1 to \(Self.mostCharacters) characters by code point, found other texts")
    }
    self.init(characters: characters, hasUnknown: try container.decode(Bool.self, forKey: .unknown))
  }

  /// Writes it.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    switch tokens {
    case .words(let words): try container.encode(words, forKey: .words)
    case .characters(let characters):
      try container.encode(characters.map { String($0) }, forKey: .characters)
      try container.encode(unknown != nil, forKey: .unknown)
    }
  }
}
