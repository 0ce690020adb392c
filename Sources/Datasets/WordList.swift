public import Language

/// Words, or some words after each other, that somebody wants to know about: one a line.
public struct WordList: Sendable, Equatable {
  /// The tokens of each, none without, none twice.
  public let phrases: [[String]]

  /// Reads a file; lines that begin with `#` say nothing.
  /// - Throws: `DatasetError` for a file that can't be read, is no text, or has no word.
  public init(path: String, tokenizer: Tokenizer = Tokenizer()) throws(DatasetError) {
    let source = try CaptionSource(path: path, images: "")
    var (phrases, seen) = ([[String]](), Set<[String]>())
    for line in source.lines where line.bytes.first != UInt8(ascii: "#") {
      guard line.bytes.count <= 256 else {
        throw .unexpected(
          path: path, location: "line \(line.number)", expected: "a word of at most 256 bytes",
          found: "\(line.bytes.count) bytes")
      }
      let tokens = tokenizer.tokens(Tokenizer.composed(String(decoding: line.bytes, as: UTF8.self)))
      if !tokens.isEmpty, seen.insert(tokens).inserted { phrases.append(tokens) }
    }
    guard !phrases.isEmpty else {
      throw .unexpected(path: path, location: "the file", expected: "words, one a line", found: "none")
    }
    self.phrases = phrases
  }
}
