import Foundation
import Support
import TestSupport
import Testing

@Suite struct RandomTests {
  private struct Golden: Decodable {
    struct Case: Decodable {
      let seed: String
      let stream: [String]
      let next: [String]
      let uniform: [Double]
    }
    let cases: [Case]
  }

  /// The streams that tools/golden/splitmix.py draws, to the bit.
  @Test func agreesWithItsPythonTwin() throws {
    let data = try Data(contentsOf: URL(fileURLWithPath: fixture("random.json")))
    let golden = try JSONDecoder().decode(Golden.self, from: data)
    #expect(golden.cases.count > 3)
    for each in golden.cases {
      let seed = try #require(UInt64(each.seed))
      let stream = try each.stream.map { try #require(UInt64($0)) }
      func generator() -> Random {
        stream.isEmpty ? Random(seed: seed) : Random(seed: seed, stream: stream)
      }
      try #require(!each.next.isEmpty && !each.uniform.isEmpty)
      var bits = generator()
      #expect(each.next == each.next.map { _ in String(bits.next()) })
      var uniform = generator()
      #expect(each.uniform.map(Float.init) == each.uniform.map { _ in uniform.uniform() })
    }
  }

  @Test func normalHasItsMoments() {
    var random = Random(seed: 3)
    let numbers = (0..<20_000).map { _ in random.normal() }
    let mean = numbers.reduce(0, +) / 20_000
    let variance = numbers.reduce(0) { $0 + $1 * $1 } / 20_000
    #expect(abs(mean) < 0.03)
    #expect(abs(variance - 1) < 0.04)
  }
}
