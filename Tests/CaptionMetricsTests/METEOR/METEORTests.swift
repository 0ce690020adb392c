import Foundation
import TestSupport
import Testing

@testable import CaptionMetrics

/// What METEOR 1.5 itself says of made-up texts with made-up data: tools/golden/meteor.py.
struct METEORGolden: Decodable {
  struct Sample: Decodable {
    let candidate: String
    let references: [String]
    let words: [String]
    let statistics: String
    let score: Double
  }
  let score: Double
  let samples: [Sample]

  /// The folder with the data.
  static let folder = URL(fileURLWithPath: fixture("")).deletingLastPathComponent()
    .deletingLastPathComponent()
    .appendingPathComponent("Fixtures/meteor").path

  static func read() throws -> METEORGolden {
    try JSONDecoder().decode(
      METEORGolden.self, from: Data(contentsOf: URL(fileURLWithPath: folder + "/meteor.json")))
  }
}

@Suite struct METEORTests {
  /// Texts whole, as the reference was given them.
  private func samples(_ golden: METEORGolden) -> [Sample] {
    golden.samples.map { Sample(candidate: [$0.candidate], references: $0.references.map { [$0] }) }
  }

  @Test(arguments: ["", "/meteor-1.5.jar", "/unpacked"])
  func countsAndScoresAreTheReferences(place: String) throws {
    let golden = try METEORGolden.read()
    #expect(golden.samples.count > 300)
    let samples = samples(golden)
    let meteor = try METEOR(samples, try METEORData(path: METEORGolden.folder + place))
    for (counts, sample) in zip(meteor.counts, golden.samples) {
      #expect(counts.line == sample.statistics, "\(sample.candidate) \(sample.references)")
    }
    let statistics = CaptionStatistics(samples, by: [], and: [meteor])
    #expect(statistics.names == [.meteor])
    #expect(abs(statistics.corpus[0] - golden.score) < 1e-12)
    for (score, sample) in zip(statistics.perSample(.meteor), golden.samples) {
      #expect(abs(score - sample.score) < 1e-12)
    }
  }

  @Test func standsBesideTheOtherMetrics() throws {
    let samples = [
      Sample(
        candidate: tokens("two dogs run"), references: [tokens("a couple of hounds ran"), tokens("two dogs")]),
      Sample(candidate: tokens("a man sits"), references: [tokens("he is sitting")]),
    ]
    let meteor = try METEOR(samples, try METEORData(path: METEORGolden.folder))
    let statistics = CaptionStatistics(samples, and: [meteor])
    #expect(statistics.names == CaptionStatistics.names + [.meteor])
    #expect(CaptionStatistics.allNames == statistics.names)
    #expect(CaptionStatistics.allHeadlines.last == .meteor)
    let scores = statistics.scores(Bootstrap(resamples: 50))
    let (score, interval) = (try #require(scores[.meteor]), try #require(scores[intervalOf: .meteor]))
    #expect(interval.low <= score && score <= interval.high && score > 0 && score < 1)
    // The others are what they are without it.
    #expect(statistics.corpus.dropLast() == CaptionStatistics(samples).corpus[...])
  }

  @Test func samplesWithoutReferencesScoreNothing() throws {
    let samples = [Sample(candidate: ["a"], references: []), Sample(candidate: [], references: [])]
    let meteor = try METEOR(samples, try METEORData(path: METEORGolden.folder))
    #expect(CaptionStatistics(samples, by: [], and: [meteor]).perSample(.meteor) == [0, 0])
    let none = try METEOR([], try METEORData(path: METEORGolden.folder))
    #expect(CaptionStatistics([], by: [], and: [none]).corpus == [0])
  }

  /// pycocoevalcap puts three bars between texts: those of a reference part it, those of a caption go.
  @Test func barsBetweenTextsAreNoWords() throws {
    let samples = [
      Sample(candidate: tokens("a dog"), references: [tokens("snow ||| a dog")]),
      Sample(candidate: tokens("a ||| dog"), references: [tokens("a dog")]),
    ]
    let meteor = try METEOR(samples, try METEORData(path: METEORGolden.folder))
    #expect(CaptionStatistics(samples, by: [], and: [meteor]).perSample(.meteor) == [1, 1])
  }

  /// Ways to align are as many as the squares of words.
  @Test func captionsThatAreTooLongAreRefused() throws {
    let data = try METEORData(path: METEORGolden.folder)
    let long = [String](repeating: "a", count: METEOR.longest)
    let sample = Sample(candidate: long, references: [["a"]])
    #expect(try METEOR([sample], data).counts[0].length.candidate == 1000)
    #expect {
      try METEOR([Sample(candidate: ["a"], references: [long + ["a"]])], data)
    } throws: { error in
      "\(error)".hasPrefix("METEOR: expected captions of at most 1000 words, found 1001: `a a a")
    }
  }

  /// All words alike but one: as many matches as there can be of single words.
  @Test func longCaptionsOfOneWordAreAligned() throws {
    let many = [String](repeating: "dog", count: 400)
    let sample = Sample(candidate: many, references: [many.dropLast() + ["snow"]])
    let counts = try METEOR([sample], try METEORData(path: METEORGolden.folder)).counts[0]
    #expect(counts.matched == METEORCounts.Pair(candidate: 399, reference: 399))
  }
}
