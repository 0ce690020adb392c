import CaptionMetrics
import Testing

@Test func distinctShareCountsDifferentCaptions() {
  #expect(distinctShare([["a"], ["a"], ["a", "b"], []]) == 0.75)
  #expect(distinctShare([]) == 0)
}

/// `a b`, `a b a`: 2 of 5 words, and the pairs ab, ab, ba.
@Test func distinctNGramsOfAllCaptions() {
  let captions = [tokens("a b"), tokens("a b a"), []]
  #expect(distinctNGramShare(captions, 1) == 2.0 / 5)
  #expect(distinctNGramShare(captions, 2) == 2.0 / 3)
  #expect(distinctNGramShare(captions, 4) == 0)
  #expect(distinctNGramShare([], 1) == 0)
}

@Test func noveltyIsWordByWord() {
  let captions = ["a dog", "a dog runs", "", "a cat"].map(tokens)
  let novelty = Novelty(captions, training: ["a dog", "a cat sits", ""].map(tokens))
  #expect(novelty.perSample == [false, true, false, true] && novelty.share == 0.5)
  #expect(Novelty(captions, training: []).share == 1)
  #expect(Novelty([], training: captions).share == 0)
}

@Test func lengthsInWords() {
  let lengths = CaptionLengths(["a", "a b c", "", "a b c d"].map(tokens))
  #expect(lengths.mean == 2 && lengths.median == 2 && lengths.shortest == 0 && lengths.longest == 4)
  #expect(abs(lengths.standardDeviation - 2.5.squareRoot()) < 1e-12)
  let none = CaptionLengths([])
  #expect(none.mean == 0 && none.standardDeviation == 0 && none.median == 0 && none.longest == 0)
}
