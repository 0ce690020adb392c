import CaptionMetrics
import TestSupport
import Testing

func tokens(_ text: String) -> [String] { text.split(separator: " ").map(String.init) }

@Test func bleuOfThePerfectAndOfNothing() {
  let words = tokens("a dog runs in the snow")
  for value in CaptionStatistics([Sample(candidate: words, references: [["x"], words])], by: [BLEU.self])
    .corpus
  {
    #expect(abs(value - 1) < 1e-8)
  }
  let none = CaptionStatistics([], by: [BLEU.self])
  #expect(none.count == 0 && none.corpus.count == 4 && none.corpus.allSatisfy { $0 >= 0 && $0 < 1e-6 })
  let bare = CaptionStatistics([Sample(candidate: words, references: [])], by: [BLEU.self])
  #expect(bare.corpus.count == 4 && bare.corpus.allSatisfy { $0 < 1e-3 })
}

/// A word counts at most as often as some reference has it.
@Test func bleuClipsRepeatedWords() {
  let sample = Sample(
    candidate: tokens("the the the the"), references: [tokens("the cat"), tokens("the the x y")])
  #expect(abs(CaptionStatistics([sample], by: [BLEU.self]).corpus[0] - 0.5) < 1e-9)
}
