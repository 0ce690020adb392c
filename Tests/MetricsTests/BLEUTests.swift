import Foundation
import Metrics
import TestSupport
import Testing

private struct Golden: Decodable {
  struct Sample: Decodable {
    let candidate: String
    let references: [String]
  }
  struct Set: Decodable {
    let samples: [Sample]
    let corpus: [Double]
    let perSample: [[Double]]
  }
  let sets: [Set]
}

private func tokens(_ text: String) -> [String] { text.split(separator: " ").map(String.init) }

/// The fixture is made by tools/golden/bleu.py.
@Test func bleuAgreesWithPycocoevalcap() throws {
  let golden = try JSONDecoder().decode(
    Golden.self, from: Data(contentsOf: URL(fileURLWithPath: fixture("bleu.json"))))
  #expect(golden.sets.count > 10)
  for set in golden.sets {
    let score = BLEU(
      set.samples.map { Sample(candidate: tokens($0.candidate), references: $0.references.map(tokens)) })
    #expect(score.perSample.count == set.perSample.count)
    for (ours, theirs) in zip([score.corpus] + score.perSample, [set.corpus] + set.perSample) {
      for (a, b) in zip(ours, theirs) { #expect(abs(a - b) <= 1e-12 * max(1, abs(b)), "\(a) against \(b)") }
    }
  }
}

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

@Test func distinctShareCountsDifferentCaptions() {
  #expect(distinctShare([["a"], ["a"], ["a", "b"], []]) == 0.75)
  #expect(distinctShare([]) == 0)
}
