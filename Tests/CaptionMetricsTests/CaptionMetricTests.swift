import Foundation
import CaptionMetrics
import Testing

/// A metric of a test: the share of the candidate's words that are in some reference, and how many references there are,
/// beside the mean of those of all images.
private struct WordShare: TextMetric {
  static let names = [ScoreName("references", title: "references"), ScoreName("share", title: "share")]
  static let width = 3
  let mean: Double

  init(_ samples: CountedSamples) {
    mean =
      samples.samples.reduce(0) { $0 + Double($1.references.count) } / Double(max(1, samples.count))
  }

  func statistics(of sample: CountedSample) -> [Double] {
    let known = Set(sample.references.joined())
    return [
      Double(sample.references.count) / mean, Double(sample.candidate.count { known.contains($0) }),
      Double(sample.candidate.count),
    ]
  }

  static func scores(_ sums: [Double], images: Int) -> [Double] {
    [sums[0] / Double(images), sums[1] / sums[2]]
  }
}

@Suite struct CaptionMetricTests {
  private let samples = [
    Sample(candidate: tokens("a dog runs"), references: [tokens("a dog"), tokens("a cat sits")]),
    Sample(candidate: tokens("a zebra"), references: [tokens("a dog")]),
    Sample(candidate: tokens("snow"), references: [tokens("snow"), tokens("rain"), tokens("ice")]),
  ]

  /// A metric that nobody knew takes part in everything.
  @Test func anotherMetricIsATypeOfItsOwn() throws {
    let statistics = CaptionStatistics(samples, by: CaptionStatistics.metrics + [WordShare.self])
    #expect(statistics.names.suffix(2).map(\.key) == ["references", "share"])
    #expect(WordShare.headline.key == "share" && BLEU.headline == .bleu4)
    #expect(statistics.corpus.suffix(2) == [1, 4.0 / 6])
    #expect(statistics.sample(0).suffix(2) == [1, 2.0 / 3])
    #expect(statistics.perSample(WordShare.names[1]) == [2.0 / 3, 0.5, 1])
    let scores = statistics.scores(Bootstrap(resamples: 100))
    let interval = try #require(scores[intervalOf: WordShare.names[1]])
    #expect(interval.low < 4.0 / 6 && interval.high > 4.0 / 6)
    // The others are what they are without it.
    #expect(statistics.corpus.dropLast(2) == CaptionStatistics(samples).corpus[...])
    let others = CaptionStatistics(samples).intervals(Bootstrap(resamples: 100))
    #expect(others == Array(statistics.intervals(Bootstrap(resamples: 100)).dropLast(2)))
  }

  @Test func scoresTellWhatTheCaptionsAreLike() {
    let scores = CaptionStatistics(samples).scores()
    #expect(scores[.images] == 3 && scores[.distinct] == 1 && scores[.distinctWords] == 5.0 / 6)
    #expect(scores[.meanLength] == 2 && scores[.medianLength] == 2)
    #expect(scores[.shortestLength] == 1 && scores[.longestLength] == 3)
    #expect(scores[intervalOf: .cider] == nil && scores[.novelty] == nil)
  }
}

@Suite struct ScoresTests {
  @Test func goThroughJSON() throws {
    var scores = Scores()
    scores[.bleu4] = 0.25
    scores[intervalOf: .bleu4] = Bootstrap.Interval(low: 0.125, high: 0.5)
    let data = try JSONEncoder().encode(scores)
    #expect(
      try JSONDecoder().decode([String: Double].self, from: data)
        == ["Bleu_4": 0.25, "Bleu_4_low": 0.125, "Bleu_4_high": 0.5])
    #expect(try JSONDecoder().decode(Scores.self, from: data) == scores)
  }

  /// Logs and results of earlier versions are read, and their keys are written for those who read them.
  @Test(arguments: ["shuffled_loss", "loss_shuffled_images", "mismatched_image_loss"])
  func earlierKeysAreUnderstood(key: String) throws {
    let name = ScoreName("mismatched_image_loss", title: "")
    let json = Data(#"{"\#(key)": 4.5, "words": ["a"], "CIDEr": 0.5}"#.utf8)
    let scores = try JSONDecoder().decode(Scores.self, from: json)
    #expect(scores[name] == 4.5 && scores[.cider] == 0.5 && scores[.bleu4] == nil)
    #expect(
      try JSONDecoder().decode([String: Double].self, from: JSONEncoder().encode(scores)) == [
        "CIDEr": 0.5, "mismatched_image_loss": 4.5, "shuffled_loss": 4.5, "loss_shuffled_images": 4.5,
      ])
  }
}
