import Foundation
import Testing

@testable import Decoding

@Suite struct LengthNormalizationTests {
  @Test func scoresAreAsPublished() {
    #expect(LengthNormalization.none.score(logProb: -6, length: 3) == -6)
    #expect(LengthNormalization.average.score(logProb: -6, length: 3) == -2)
    // Length 7: ((5 + 7) / 6)^α = 2^α.
    #expect(abs(LengthNormalization.wu(alpha: 2).score(logProb: -6, length: 7) + 1.5) < 1e-12)
    #expect(
      abs(LengthNormalization.wu(alpha: 0.5).score(logProb: -6, length: 7) + 6 / 2.0.squareRoot()) < 1e-12)
    #expect(LengthNormalization.wu(alpha: 0.6).score(logProb: -6, length: 1) == -6)
    #expect(LengthNormalization.average.score(logProb: -6, length: 0) == -6)
  }

  @Test(arguments: [LengthNormalization.none, .average, .wu(alpha: 0.6)]) func isKeptAsJSON(
    kind: LengthNormalization
  ) throws {
    let data = try JSONEncoder().encode(kind)
    #expect(try JSONDecoder().decode(LengthNormalization.self, from: data) == kind)
  }

  /// No caption that goes on from one can score above the bound.
  @Test(arguments: [LengthNormalization.none, .average, .wu(alpha: 0.6), .wu(alpha: 3)]) func boundHolds(
    kind: LengthNormalization
  ) {
    let bound = kind.bound(logProb: -4, lengths: 3...9)
    for length in 3...9 { #expect(kind.score(logProb: -4, length: length) <= bound) }
    #expect((3...9).contains { kind.score(logProb: -4, length: $0) == bound })
  }
}
