/// A caption that somebody wrote, in a model's words.
public struct GivenCaption: Sendable, Equatable {
  /// Its words; none where it has only punctuation.
  public let words: [String]
  /// Those that the vocabulary lacks: they count as `<unk>`.
  public let unknown: [String]

  /// Reads `text`. A caption as the model prints it is words already: the tokenizer would take some apart again
  /// (`-lrb-`), and reads only captions with a word that the vocabulary lacks.
  public init(_ text: String, _ vocabulary: Vocabulary) {
    func isUnknown(_ word: String) -> Bool { vocabulary.encode([word]) == [Vocabulary.unknown] }
    let split = text.split(separator: " ").map(String.init)
    words = split.contains(where: isUnknown) ? vocabulary.tokenizer.tokens(text) : split
    unknown = words.filter(isUnknown)
  }
}
