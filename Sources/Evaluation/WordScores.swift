internal import Language

/// How well captions say given words: saying one is right where some reference of the image has it.
public struct WordScores: Sendable, Equatable, Encodable {
  /// A word, or some words after each other.
  public struct Word: Sendable, Equatable, Encodable {
    /// As it is read.
    public let word: String
    /// Images some reference of which has it; captions that say it; captions that rightly do.
    public fileprivate(set) var images = 0, captions = 0, right = 0

    /// The share of the captions with it that are right; nil: there is none.
    public var precision: Double? { captions > 0 ? Double(right) / Double(captions) : nil }
    /// The share of the images with it whose caption says it; nil: there is none.
    public var recall: Double? { images > 0 ? Double(right) / Double(images) : nil }

    fileprivate init(_ tokens: [String]) { word = tokens.joined(separator: " ") }

    private enum CodingKeys: String, CodingKey { case word, images, captions, right, precision, recall }

    /// Counts, and what follows from them.
    public func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(word, forKey: .word)
      try container.encode(images, forKey: .images)
      try container.encode(captions, forKey: .captions)
      try container.encode(right, forKey: .right)
      try container.encodeIfPresent(precision, forKey: .precision)
      try container.encodeIfPresent(recall, forKey: .recall)
    }
  }

  /// Each word, in the order of the list.
  public let words: [Word]
  /// The same of all together: of every time that one is said, and of every image and word of it.
  public let precision, recall: Double?

  /// - Parameter phrases: the tokens of each word, none without.
  public init(_ evaluation: Evaluation, of phrases: [[String]]) {
    func tokens(_ text: String) -> [String] { Tokenizer().tokens(Tokenizer.composed(text)) }
    self.init(
      evaluation.rows.lazy.map { (tokens($0.caption.text), $0.image.references.map(tokens)) }, of: phrases)
  }

  /// - Parameter rows: the tokens of each image's caption, and those of its references.
  init(_ rows: some Sequence<(caption: [String], references: [[String]])>, of phrases: [[String]]) {
    var places: [[String]: Int] = [:]
    for (place, phrase) in phrases.enumerated() where places[phrase] == nil { places[phrase] = place }
    let lengths = Set(phrases.map(\.count)).sorted()
    func found(in tokens: [String]) -> Set<Int> {
      var found: Set<Int> = []
      for length in lengths where length <= tokens.count {
        for start in 0...tokens.count - length {
          if let place = places[Array(tokens[start..<start + length])] { found.insert(place) }
        }
      }
      return found
    }
    var words = phrases.map(Word.init)
    for row in rows {
      let said = found(in: row.caption)
      let known = row.references.reduce(into: Set<Int>()) { $0.formUnion(found(in: $1)) }
      for place in known { words[place].images += 1 }
      for place in said {
        words[place].captions += 1
        if known.contains(place) { words[place].right += 1 }
      }
    }
    func share(_ whole: KeyPath<Word, Int>) -> Double? {
      let sum = words.reduce(0) { $0 + $1[keyPath: whole] }
      return sum > 0 ? Double(words.reduce(0) { $0 + $1.right }) / Double(sum) : nil
    }
    self.words = words
    precision = share(\.captions)
    recall = share(\.images)
  }
}
