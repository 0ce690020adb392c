import Language
import TestSupport
import Testing

@testable import Requests

/// However much a client sends, it is told in a line what was wrong with it.
@Suite struct ProblemTests {
  private static let long = [
    String(repeating: "x", count: 100_000),
    // A single letter, with accents.
    "e" + String(repeating: "\u{301}", count: 100_000),
  ]

  @Test(arguments: long.indices) func longTextsAreShortened(_ number: Int) throws {
    let text = Self.long[number]
    let vocabulary = try Vocabulary(words: TinyNetwork.words)
    func field(_ name: String) throws -> CaptionFields {
      var fields = Fields()
      fields.add(name, text: text)
      return try CaptionFields(fields, vocabulary)
    }
    let json = "\"\(text)\""
    let refusals: [() throws -> Void] = [
      { _ = try field("length_normalization") }, { _ = try field("beam_width") }, { _ = try field("force") },
      { _ = try field("sample") }, { _ = try field("top_p") },
      {
        var fields = Fields()
        fields.add(text, text: "")
        try fields.check(["captions"])
      },
      {
        var fields = Fields()
        try fields.add(query: "\(text)%FF")
      },
      { _ = try MultipartForm([], contentType: text) },
      { _ = try MultipartForm([], contentType: "multipart/form-data; boundary=\(text)") },
      { _ = try Submission([1], contentType: text, query: nil, images: "images", limit: 1) },
      { _ = try JSON(Array("[\(text)]".utf8)) }, { _ = try JSON(Array("{\(json): }".utf8)) },
      { _ = try JSON(Array("[1\(String(repeating: "1", count: 100_000))]".utf8)) },
      { _ = try OllamaQuestion(generate: Array(#"{"images": ["?\#(text)"]}"#.utf8)) },
      { _ = try OllamaQuestion(generate: Array(#"{"images": \#(json)}"#.utf8)) },
      { _ = try OpenAIQuestion(chat: Array(#"{"messages": [], "n": \#(json)}"#.utf8)) },
    ]
    for (place, refusal) in refusals.enumerated() {
      #expect("refusal \(place)") { try refusal() } throws: { error in
        guard let problem = error as? Problem else { return false }
        return problem.detail.utf8.count < 1000
      }
    }
  }
}
