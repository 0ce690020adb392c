import CaptionMetrics
import Testing

@Suite struct ConsensusTests {
  private func words(_ text: String) -> [String] { text.split(separator: " ").map(String.init) }

  @Test func theOddOneOutGoesFirst() {
    let captions = ["a dog runs", "two cats sleep here", "a dog runs fast", "a dog jumps"].map(words)
    #expect(Consensus.mostAgreed(captions, keep: 3) == [0, 2, 3])
    #expect(Consensus.mostAgreed(captions, keep: 1) == [0])
    #expect(Consensus.mostAgreed(captions, keep: 4) == [0, 1, 2, 3])
    #expect(Consensus.mostAgreed(captions, keep: 9) == [0, 1, 2, 3])
    #expect(Consensus.mostAgreed([], keep: 2) == [])
  }

  /// By hand: of `a dog runs` against `a dog sits`, 2 of 3 words, 2 of 4 pairs (begin a, a dog), 1 of 3 triples, 0 of 2.
  @Test func agreementIsTheMeanShare() {
    let value = Consensus.agreement(words("a dog runs"), [words("a dog sits")])
    #expect(abs(value - (2.0 / 3 + 2.0 / 4 + 1.0 / 3 + 0) / 4) < 1e-12)
    // A word counts as often as the other has it: 1 of 3 words, 2 of 4 pairs (begin a, a end).
    let repeated = Consensus.agreement(words("a a a"), [words("a")])
    #expect(abs(repeated - (1.0 / 3 + 2.0 / 4) / 4) < 1e-12)
    #expect(Consensus.agreement([], [words("a")]) == 0)
  }
}
