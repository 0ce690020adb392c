import Testing

@testable import CaptionMetrics

/// Alignments found by trying all.
@Suite struct AlignmentSearchTests {
  private let data: METEORData
  init() throws { data = try METEORData(path: METEORGolden.folder) }

  private func counts(_ candidate: String, _ reference: String) throws -> METEORCounts {
    try METEOR([Sample(candidate: tokens(candidate), references: [tokens(reference)])], data).counts[0]
  }

  @Test func mostWordsThenFewestChunks() throws {
    // Both `box` of the candidate would do: the one that stands after `red` makes fewer pieces.
    let counts = try counts("box one red box", "red box")
    #expect(counts.matched == METEORCounts.Pair(candidate: 2, reference: 2) && counts.chunks == 1)
    #expect(try self.counts("b a", "a b").chunks == 2)
    #expect(try self.counts("a x b", "a b").chunks == 2)
    #expect(try self.counts("x y", "a b").chunks == 0)
  }

  /// Each kind of match by itself, content words and function words apart.
  @Test func everyStageCounts() throws {
    let stem = try counts("happiness", "happily")
    #expect(stem.content.map(\.candidate) == [0, 0, 0, 0])
    #expect(try counts("jogs", "jogged").content.map(\.candidate) == [0, 1, 0, 0])
    #expect(try counts("dog", "hounds").content.map(\.reference) == [0, 0, 1, 0])
    let phrase = try counts("two", "a couple of")
    #expect(
      phrase.function.map(\.candidate) == [0, 0, 0, 1] && phrase.content.map(\.reference) == [0, 0, 0, 1])
    #expect(phrase.function.map(\.reference) == [0, 0, 0, 2] && phrase.chunks == 1)
    #expect(phrase.functionWords == METEORCounts.Pair(candidate: 1, reference: 2))
  }

  /// By hand: precision 1 and recall 1/2 of content words, in one piece of one word.
  @Test func theScoreIsTheFormula() throws {
    let score = METEORCounts.score(try counts("dog", "dog zebra").summed)
    let mean = 1 / (0.15 / 1 + 0.85 / 0.5)
    #expect(abs(score - mean * (1 - 0.6)) < 1e-12)
    #expect(METEORCounts.score(try counts("dog zebra", "dog zebra").summed) == 1)
    #expect(METEORCounts.score(try counts("dog", "zebra").summed) == 0)
  }
}
