import Support
import Testing

@Suite struct StatisticsTests {
  /// numpy.quantile([1, 2, 4, 8], …)
  @Test(arguments: [(0, 1.0), (0.25, 1.75), (0.5, 3), (0.9, 6.8), (1, 8)])
  func agreesWithNumpy(share: Double, expected: Double) {
    #expect(abs([1.0, 2, 4, 8].quantileOfSorted(share) - expected) < 1e-12)
  }

  @Test func theMiddleOfAny() {
    #expect([3.0, 1, 2].median == 2)
    #expect([4.0, 1, 3, 2].median == 2.5)
    #expect([Double]().median == 0 && [Double]().mean == 0)
    #expect([1.0, 2, 6].mean == 3)
  }
}
