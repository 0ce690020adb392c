import Foundation
import TestSupport
import Tensors
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
    let scalars = Tensor(normal: [20_000], standardDeviation: 2, using: &random).scalars
    let mean = scalars.reduce(0, +) / 20_000
    let variance = scalars.reduce(0) { $0 + $1 * $1 } / 20_000
    #expect(abs(mean) < 0.06)
    #expect(abs(variance - 4) < 0.16)
  }
}
