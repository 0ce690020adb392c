import Testing

@testable import CaptionMetrics

@Test func wordsHaveNumbersByTheirBytes() {
  var index = WordIndex()
  // More than the table begins with.
  let words = (0..<5000).map { "word \($0)" } + ["", "caf\u{E9}", "cafe\u{301}"]
  for (number, word) in words.enumerated() { #expect(index.add(word) == Int32(number)) }
  #expect(index.count == 5003)
  for (number, word) in words.enumerated() {
    #expect(index.add(word) == Int32(number) && index.number(of: word) == Int32(number))
    #expect(index[Int32(number)].utf8.elementsEqual(word.utf8))
  }
  #expect(index.number(of: "word") == nil && index.count == 5003)
}

/// Java's `"an".hashCode() == "c0".hashCode()`: METEOR takes them for the same word.
@Test func keysAreJavasHashes() {
  #expect(Lexicon.hash("an") == 3117 && Lexicon.hash("c0") == 3117 && Lexicon.hash("") == 0)
  #expect(Lexicon.hash("polygenelubricants") == .min && Lexicon.hash("😀") == 1_772_899)
}
