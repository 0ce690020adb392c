import Metrics
import Testing

func tokens(_ text: String) -> [String] { text.split(separator: " ").map(String.init) }

@Test func bleuOfThePerfectAndOfNothing() {
  let words = tokens("a dog runs in the snow")
  for value in BLEU([Sample(candidate: words, references: [["x"], words])]).corpus {
    #expect(abs(value - 1) < 1e-8)
  }
  let none = BLEU([])
  #expect(none.perSample.isEmpty && none.corpus.allSatisfy { $0 >= 0 && $0 < 1e-6 })
  #expect(BLEU([Sample(candidate: words, references: [])]).corpus.allSatisfy { $0 < 1e-3 })
}

/// A word counts at most as often as some reference has it.
@Test func bleuClipsRepeatedWords() {
  let sample = Sample(
    candidate: tokens("the the the the"), references: [tokens("the cat"), tokens("the the x y")])
  #expect(abs(BLEU([sample]).corpus[0] - 0.5) < 1e-9)
}
