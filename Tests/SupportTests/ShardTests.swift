import Support
import Testing

@Suite struct ShardTests {
  @Test(arguments: [0, 1, 5, 12, 1000]) func partsAreTheWholeInOrder(total: Int) {
    for count in [1, 2, 7, 16] {
      let ranges = (1...count).compactMap { Shard("\($0)/\(count)")?.range(of: total) }
      #expect(ranges.flatMap { Array($0) } == Array(0..<total))
      #expect((ranges.map(\.count).max() ?? 0) - (ranges.map(\.count).min() ?? 0) <= 1)
    }
  }

  @Test(arguments: ["", "3", "0/2", "3/2", "-1/2", "1/0", "a/b", "1/2/3", "1/99999999999999999999", " 1/2"])
  func otherTextsAreNone(text: String) { #expect(Shard(text) == nil) }
}
