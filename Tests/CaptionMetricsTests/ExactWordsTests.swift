import CaptionMetrics
import Testing

/// Words are the same if their bytes are, as in pycocoevalcap.
@Test(arguments: [("caf\u{E9}", "cafe\u{301}", 0.5), ("l\u{2019}homme", "l'homme", 0.5), ("café", "café", 1)])
func wordsAreComparedByTheirBytes(one: String, other: String, bleu: Double) throws {
  let statistics = CaptionStatistics([
    Sample(candidate: ["un", one], references: [["un", other]]),
    Sample(candidate: ["un", one], references: [["un", other]]),
  ])
  #expect(abs(try #require(statistics.corpus.first) - bleu) < 1e-6)
}
