import Testing

@testable import CaptionMetrics

@Suite struct METEORTokenizerTests {
  private func tokenizer() throws -> METEORTokenizer {
    let data = try METEORData(path: METEORGolden.folder)
    return METEORTokenizer(prefixes: NonbreakingPrefixes(lines: data.prefixes.lines))
  }

  @Test func wordsAreTheReferences() throws {
    let tokenizer = try tokenizer()
    for sample in try METEORGolden.read().samples {
      #expect(tokenizer.words(of: sample.candidate) == sample.words, "\(sample.candidate)")
    }
  }

  /// By METEOR 1.5, with its own list of prefixes where it matters.
  @Test(arguments: [
    ("A dog's tail, isn't it?", ["a", "dog", "'s", "tail", ",", "isn", "'t", "it", "?"]),
    ("“Two” – three--four", ["\"", "two", "\"", "-", "three", "four"]),
    (
      "U.S.-based Mr. Smith... No. 5 costs 1,000.50.",
      [
        "us", "based", "mr.", "smith", "...", "no.", "5", "costs", "1,000.50", ".",
      ]
    ),
    ("a well-known-man", ["a", "well", "known", "man"]), ("a-b-c", ["a", "b-c"]),
    ("日本 😀\u{A0}x", ["日", "本", "😀", "x"]), ("the 1990's", ["the", "1990", "'s"]), ("", []), ("\u{1}", []),
    ("e.g. this", ["eg", "this"]), ("end. of", ["end.", "of"]), ("end. Of", ["end", ".", "of"]),
  ])
  func wordsAreThese(text: String, words: [String]) throws {
    #expect(try tokenizer().words(of: text) == words)
  }

  /// Captions of plain letters take a shorter way to the same words.
  @Test func plainTextIsTakenApartAlike() throws {
    let tokenizer = try tokenizer()
    let text = "  two dogs run 2  times "
    #expect(tokenizer.words(of: text) == tokenizer.words(of: text + "\t"))
    #expect(tokenizer.words(of: text) == ["two", "dogs", "run", "2", "times"])
  }
}
