/// What a text is a sequence of.
public enum TextUnit: String, Codable, Sendable, CaseIterable {
  /// Unicode scalars, as Python's `list(text)` has them: of ASCII text its bytes. Nothing is left out.
  case characters
  /// Words as captions have them, in lower case and without punctuation, a sentence a line, each followed by `</s>`.
  case words

  /// One of them.
  public var singular: String {
    switch self {
    case .characters: "character"
    case .words: "word"
    }
  }
}
