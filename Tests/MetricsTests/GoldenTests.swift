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
      Sample(candidate: tokenizer.tokens($0.candidate), references: $0.references.map(tokenizer.tokens))
    }
    let (bleu, rouge, cider) = (BLEU(samples), ROUGEL(samples), CIDEr(samples))
    var scores = ["ROUGE_L": (rouge.corpus, rouge.perSample), "CIDEr": (cider.corpus, cider.perSample)]
    for n in 1...4 { scores["Bleu_\(n)"] = (bleu.corpus[n - 1], bleu.perSample.map { $0[n - 1] }) }
    #expect(set.corpus.count == scores.count)
    for (name, (corpus, perSample)) in scores {
      let theirs = try #require(set.perImage[name])
      #expect(perSample.count == theirs.count)
      for (place, (a, b)) in zip([corpus] + perSample, [set.corpus[name] ?? -1] + theirs).enumerated() {
        #expect(abs(a - b) <= 1e-9, "\(set.name) \(name) \(place): \(a) against \(b)")
      }
    }
  }
}
