import Support
import Testing

@Suite struct CanonicalJSONTests {
  private struct Example: Encodable {
    let zebraCount = 2
    let apple = "a/b"
    let loss: Double
  }

  @Test func sortsKeysAndLeavesSlashes() throws {
    #expect(
      try canonicalJSON(Example(loss: 0.5)) == #"{"apple":"a/b","loss":0.5,"zebraCount":2}"#)
    #expect(
      try canonicalJSON(Example(loss: 1), .snakeCase) == #"{"apple":"a/b","loss":1,"zebra_count":2}"#)
    #expect(try canonicalJSON(object: ["b": ["x/y"], "a": 1]) == #"{"a":1,"b":["x/y"]}"#)
  }

  @Test func numbersThatAreNotFiniteAreNamedOnlyWhenAsked() throws {
    #expect(throws: EncodingError.self) { try canonicalJSON(Example(loss: .nan)) }
    #expect(
      try canonicalJSON([Double.infinity, -.infinity, .nan], .nonFinite) == #"["Infinity","-Infinity","NaN"]"#
    )
  }
}
