import Metrics
import Testing

/// By hand: the longest common subsequence `a dog … snow` has 3 words of 4 and of 6.
@Test func rougeOfOneReference() {
  let score = ROUGEL([
    Sample(candidate: tokens("a dog likes snow"), references: [tokens("a dog runs in the snow")])
  ])
  let (precision, recall) = (3.0 / 4, 3.0 / 6)
  #expect(abs(score.corpus - 2.44 * precision * recall / (recall + 1.44 * precision)) < 1e-12)
}

/// Precision may be one reference's and recall another's.
@Test func rougeTakesTheBestOfAllReferences() {
  let sample = Sample(candidate: tokens("a b"), references: [tokens("a b c d"), tokens("a")])
  #expect(abs(ROUGEL([sample]).corpus - 1) < 1e-12)
  let nothing = ROUGEL([Sample(candidate: tokens("a b"), references: [])])
  #expect(nothing.perSample == [0] && ROUGEL([]).corpus == 0)
}

@Test func rougeTakesEmptyCaptionsForOneEmptyWord() {
  let scores = ROUGEL([
    Sample(candidate: [], references: [tokens("a"), []]), Sample(candidate: [], references: [tokens("a")]),
    Sample(candidate: tokens("a"), references: [[]]),
  ])
  #expect(scores.perSample == [1, 0, 0])
}

/// coco-caption's `22 3/4` is one token to ROUGE-L, two words to the others.
@Test func aTokenWithANoBreakSpaceIsOneForRougeOnly() {
  let sample = Sample(candidate: ["at", "22\u{A0}3/4"], references: [["22", "3/4"]])
  let scores = CaptionScores([sample])
  #expect(scores.rougeL.corpus == 0)
  #expect(abs(scores.bleu.corpus[0] - 2.0 / 3) < 1e-8)
  #expect(scores.bleu == BLEU([Sample(candidate: ["at", "22", "3/4"], references: [["22", "3/4"]])]))
}
