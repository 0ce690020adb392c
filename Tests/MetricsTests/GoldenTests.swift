import Foundation
import Language
import Metrics
import TestSupport
import Testing

/// The fixture is made by tools/golden/metrics.py.
private struct Golden: Decodable {
  struct Sample: Decodable {
    let candidate: String
    let references: [String]
  }
  struct Set: Decodable {
    let name: String
    let samples: [Sample]
    let corpus: [String: Double]
    let perImage: [String: [Double]]
  }
  let sets: [Set]
}

/// Captions as written against pycocoevalcap with its tokenizer.
@Test func scoresAgreeWithPycocoevalcap() throws {
  let golden = try JSONDecoder().decode(
    Golden.self, from: Data(contentsOf: URL(fileURLWithPath: fixture("metrics.json"))))
  #expect(golden.sets.count > 8)
  for set in golden.sets {
    let tokenizer = Tokenizer()
    let samples = set.samples.map {
      Sample(
        candidate: tokenizer.wholeTokens($0.candidate),
        references: $0.references.map(tokenizer.wholeTokens))
    }
    let scores = CaptionScores(samples)
    // Each metric alone says the same.
    #expect(scores.bleu == BLEU(samples))
    #expect(scores.rougeL == ROUGEL(samples))
    #expect(scores.cider == CIDEr(samples))
    #expect(set.corpus.count == CaptionScores.names.count)
    for (place, name) in CaptionScores.names.enumerated() {
      let theirs = [try #require(set.corpus[name])] + (try #require(set.perImage[name]))
      let ours = [scores.corpus[place]] + samples.indices.map { scores.sample($0)[place] }
      #expect(ours.count == theirs.count)
      for (index, (a, b)) in zip(ours, theirs).enumerated() {
        #expect(abs(a - b) <= 1e-9, "\(set.name) \(name) \(index): \(a) against \(b)")
      }
    }
  }
}
