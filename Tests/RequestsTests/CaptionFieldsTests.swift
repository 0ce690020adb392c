import Decoding
import Kernels
import Language
import TestSupport
import Testing

@testable import Requests

@Suite struct CaptionFieldsTests {
  private static var vocabulary: Vocabulary { get throws { try Vocabulary(words: TinyNetwork.words) } }

  private static func captions(query: String) throws -> CaptionFields {
    var fields = Fields()
    try fields.add(query: query)
    try fields.check(CaptionFields.names)
    return try CaptionFields(fields, try vocabulary)
  }

  private static func captions(json: String) throws -> CaptionFields {
    var fields = Fields()
    guard case .object(let members) = try JSON(Array(json.utf8)) else { return try captions(query: "") }
    for (name, value) in members { fields.add(name, value) }
    try fields.check(CaptionFields.names)
    return try CaptionFields(fields, try vocabulary)
  }

  @Test func whatIsUsual() throws {
    #expect(try Self.captions(query: "").strategy == .beam(BeamOptions(minimumLength: 1)))
    #expect(try Self.captions(json: "{}") == Self.captions(query: ""))
  }

  @Test func queriesAndJSONSayTheSame() throws {
    let searched = try Self.captions(
      query: "beam_width=5&captions=2&max_length=9&min_length=2&length_normalization=wu&length_penalty=0.5"
        + "&mutual_information=0.2&prefix=the%20dog&force=runs&force=snow&forbid=cat&no_repeat_ngram=3&explain=true"
    )
    let constraints = try Constraints(
      prefix: "the dog", forced: ["runs", "snow"], forbidden: ["cat"], noRepeatNGram: 3, lengths: 2...9,
      vocabulary: try Self.vocabulary)
    #expect(
      searched.strategy
        == .beam(
          BeamOptions(
            beamWidth: 5, captions: 2, maximumLength: 9, minimumLength: 2,
            lengthNormalization: .wu(alpha: 0.5), mutualInformation: 0.2,
            constraints: constraints)))
    #expect(searched.explains)
    let same = try Self.captions(
      json:
        #"{"beam_width": 5, "captions": 2, "max_length": 9, "min_length": 2, "length_normalization": "wu", "#
        + #""length_penalty": 0.5, "mutual_information": 0.2, "prefix": "the dog", "force": ["runs", "snow"], "forbid": "cat", "#
        + #""no_repeat_ngram": 3, "explain": true, "seed": null}"#)
    #expect(same == searched)
    let drawn = try Self.captions(query: "sample=1&captions=100&temperature=0.5&top_k=4&top_p=0.9&seed=7")
    #expect(
      drawn.strategy
        == .sample(
          SamplingOptions(
            captions: 100, ClassSampling(temperature: 0.5, topK: 4, topP: 0.9), seed: 7, minimumLength: 1)))
  }

  @Test(arguments: [
    "beam_width=0", "beam_width=65", "beam_width=x", "beam_width=3&beam_width=4", "captions=4", "captions=0",
    "max_length=0", "max_length=1001", "min_length=21", "length_normalization=no", "length_penalty=1",
    "length_normalization=wu&length_penalty=11", "mutual_information=1.1", "sample=1&mutual_information=0.1",
    "sample=maybe", "temperature=1", "sample=1&temperature=0",
    "sample=1&temperature=nan", "sample=1&top_p=0", "sample=1&top_p=1.1", "sample=1&top_k=0",
    "sample=1&seed=-1",
    "sample=1&beam_width=2", "sample=1&force=dog", "sample=1&captions=101", "no_repeat_ngram=1001",
    "nothing=1",
    "prefix=%FF", "prefix=zebra", "force=zebra", "forbid=zebra", "force=dog&forbid=dog",
    "prefix=a+dog&max_length=1",
    "force=", "captions=99999999999999999999",
  ])
  func whatMakesNoSenseIsRefused(_ query: String) throws {
    let name = try #require(query.split(separator: "&").last?.split(separator: "=").first)
    #expect {
      try Self.captions(query: query)
    } throws: { error in
      guard let problem = error as? Problem else { return false }
      return (400..<500).contains(problem.status.rawValue)
        && (problem.detail.hasPrefix(name) || query.contains("%FF") || problem.detail.hasPrefix("force"))
    }
  }

  @Test(arguments: [
    #"{"beam_width": "3"}"#, #"{"beam_width": 2.5}"#, #"{"beam_width": [1, 2]}"#, #"{"sample": "true"}"#,
    #"{"sample": 1}"#,
    #"{"prefix": 3}"#, #"{"force": [3]}"#, #"{"sample": true, "temperature": "1"}"#, #"{"prefix": {"a": 1}}"#,
  ])
  func kindsAreToldApart(_ json: String) {
    #expect(throws: Problem.self) { try Self.captions(json: json) }
  }

  @Test func longTextsAreRefused() {
    let word = String(repeating: "dog ", count: 300)
    #expect(throws: Problem.self) {
      try Self.captions(query: "prefix=" + word.split(separator: " ").joined(separator: "+"))
    }
    #expect(throws: Problem.self) {
      try Self.captions(query: [String](repeating: "force=dog", count: 33).joined(separator: "&"))
    }
  }
}
