import CaptionMetrics
import Testing

private func rouge(_ samples: [Sample]) -> CaptionStatistics {
  CaptionStatistics(samples, by: [ROUGEL.self])
}

/// By hand: the longest common subsequence `a dog … snow` has 3 words of 4 and of 6.
@Test func rougeOfOneReference() {
  let score = rouge([
    Sample(candidate: tokens("a dog likes snow"), references: [tokens("a dog runs in the snow")])
  ])
  let (precision, recall) = (3.0 / 4, 3.0 / 6)
  #expect(abs(score.corpus[0] - 2.44 * precision * recall / (recall + 1.44 * precision)) < 1e-12)
}

/// Precision may be one reference's and recall another's.
@Test func rougeTakesTheBestOfAllReferences() {
  let sample = Sample(candidate: tokens("a b"), references: [tokens("a b c d"), tokens("a")])
  #expect(abs(rouge([sample]).corpus[0] - 1) < 1e-12)
  let nothing = rouge([Sample(candidate: tokens("a b"), references: [])])
  #expect(nothing.perSample(.rougeL) == [0] && rouge([]).corpus == [0])
}

@Test func rougeTakesEmptyCaptionsForOneEmptyWord() {
  let scores = rouge([
    Sample(candidate: [], references: [tokens("a"), []]), Sample(candidate: [], references: [tokens("a")]),
    Sample(candidate: tokens("a"), references: [[]]),
  ])
  #expect(scores.perSample(.rougeL) == [1, 0, 0])
}

/// coco-caption's `22 3/4` is one token to ROUGE-L, two words to the others.
@Test func aTokenWithANoBreakSpaceIsOneForRougeOnly() throws {
  let sample = Sample(candidate: ["at", "22\u{A0}3/4"], references: [["22", "3/4"]])
  let scores = CaptionStatistics([sample]).scores()
  #expect(scores[.rougeL] == 0)
  #expect(abs(try #require(scores[.bleu1]) - 2.0 / 3) < 1e-8)
  let apart = Sample(candidate: ["at", "22", "3/4"], references: [["22", "3/4"]])
  #expect(scores[.bleu1] == CaptionStatistics([apart], by: [BLEU.self]).scores()[.bleu1])
}
