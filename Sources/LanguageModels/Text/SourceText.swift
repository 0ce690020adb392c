public import Datasets
internal import Language
internal import Support

/// A text as it is read from files, before it is known which of its characters or words a model is to know.
public enum SourceText: Sendable, Equatable {
  /// Every character.
  case characters(CharacterText)
  /// Sentences.
  case words(TokenizedCaptions, Range<Int>)

  /// Reads text files, one after the other.
  /// - Throws: `LanguageModelError`; `DatasetError` where words are wanted.
  public init(contentsOf paths: [String], unit: TextUnit) throws {
    switch unit {
    case .characters: self = .characters(try CharacterText(contentsOf: paths))
    case .words:
      let sentences = try TokenizedCaptions(textFiles: paths)
      self = .words(sentences, 0..<sentences.count)
    }
  }

  /// Characters, or sentences.
  public var count: Int {
    switch self {
    case .characters(let text): text.scalars.count
    case .words(_, let range): range.count
    }
  }

  /// The first of them, and the rest: a share of the whole, at least one where there are two.
  public func divided(lastShare share: Double) -> (first: SourceText, last: SourceText) {
    let last = count < 2 ? 0 : min(count - 1, max(1, Int(saturating: (Double(count) * share).rounded())))
    switch self {
    case .characters(let text):
      return (
        .characters(CharacterText(text.scalars.dropLast(last))),
        .characters(CharacterText(text.scalars.suffix(last)))
      )
    case .words(let sentences, let range):
      let middle = range.upperBound - last
      return (
        .words(sentences, range.lowerBound..<middle), .words(sentences, middle..<range.upperBound)
      )
    }
  }

  /// What comes at least `minimumCount` times.
  /// - Parameter hasUnknown: whether other characters have an id; other words always have.
  public func vocabulary(minimumCount: Int, hasUnknown: Bool) -> TextVocabulary {
    switch self {
    case .characters(let text):
      return TextVocabulary(of: text, minimumCount: minimumCount, hasUnknown: hasUnknown)
    case .words(let sentences, let range):
      let counts = range.count == sentences.count ? sentences.counts : Self.counts(sentences, range)
      return TextVocabulary(Vocabulary(counts: counts, minimumCount: minimumCount))
    }
  }

  private static func counts(_ sentences: TokenizedCaptions, _ range: Range<Int>) -> [String: Int] {
    var counts: [String: Int] = [:]
    for sentence in range { for word in sentences[sentence] { counts[word, default: 0] += 1 } }
    return counts
  }
}
