import Foundation
import Language
import CaptionMetrics
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
    let tokenizer = Tokenizer(splitsUnspacedScripts: false)
    let samples = set.samples.map {
      Sample(
        candidate: tokenizer.wholeTokens($0.candidate),
        references: $0.references.map(tokenizer.wholeTokens))
    }
    let scores = CaptionStatistics(samples)
    // Each metric alone says the same.
    let alone = CaptionStatistics.metrics.map { CaptionStatistics(samples, by: [$0]) }
    #expect(alone.flatMap(\.corpus) == scores.corpus)
    for index in samples.indices { #expect(alone.flatMap { $0.sample(index) } == scores.sample(index)) }
    #expect(set.corpus.count == CaptionStatistics.names.count)
    for (place, name) in CaptionStatistics.names.map(\.key).enumerated() {
      let theirs = [try #require(set.corpus[name])] + (try #require(set.perImage[name]))
      let ours = [scores.corpus[place]] + samples.indices.map { scores.sample($0)[place] }
      #expect(ours.count == theirs.count)
      for (index, (a, b)) in zip(ours, theirs).enumerated() {
        #expect(abs(a - b) <= 1e-9, "\(set.name) \(name) \(index): \(a) against \(b)")
      }
    }
  }
}
