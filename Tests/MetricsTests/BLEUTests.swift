import Metrics
import TestSupport
import Testing

func tokens(_ text: String) -> [String] { text.split(separator: " ").map(String.init) }

@Test func bleuOfThePerfectAndOfNothing() {
  let words = tokens("a dog runs in the snow")
  let perfect = BLEU([Sample(candidate: words, references: [["x"], words])])
  #expect(absoluteError(perfect.corpus, [1, 1, 1, 1]) < 1e-8)
  let none = BLEU([])
  #expect(none.perSample.isEmpty && absoluteError(none.corpus, [0, 0, 0, 0]) < 1e-6)
  let alone = BLEU([Sample(candidate: words, references: [])])
  #expect(absoluteError(alone.corpus, [0, 0, 0, 0]) < 1e-3)
}

/// A word counts at most as often as some reference has it.
@Test func bleuClipsRepeatedWords() {
  let sample = Sample(
    candidate: tokens("the the the the"), references: [tokens("the cat"), tokens("the the x y")])
  #expect(abs(BLEU([sample]).corpus[0] - 0.5) < 1e-9)
}
