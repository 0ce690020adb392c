import Testing

@testable import Requests

@Suite struct OpenAIQuestionTests {
  private static let image = #"{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAEC"}}"#

  @Test func chat() throws {
    let body =
      #"{"messages": [{"content": [{"type": "text"}, \#(Self.image)]}, {"content": "x"}], "n": 3, "logprobs": true, "#
      + #""stream": true, "stream_options": {"include_usage": true}, "model": "a"}"#
    let question = try OpenAIQuestion(chat: Array(body.utf8))
    #expect(
      question.photos == [PhotoFile(name: "messages[0].content[1].image_url", bytes: [0, 1, 2])])
    #expect(question.count == 3 && question.wantsLogProbs && question.streams && question.wantsUsage)
    #expect(question.model == "a" && question.beginning == nil)
    let begun = #"{"messages": [{"content": [{"type": "text", "text": "two dogs…"}, \#(Self.image)]}]}"#
    #expect(try OpenAIQuestion(chat: Array(begun.utf8)).beginning == "two dogs")
  }

  @Test func response() throws {
    let body =
      #"{"input": [{"content": [{"type": "input_image", "image_url": "data:;base64,AAEC"}]}], "n": 3}"#
    let question = try OpenAIQuestion(response: Array(body.utf8))
    #expect(question.photos.map(\.bytes) == [[0, 1, 2]] && question.count == 1)
    #expect(!question.streams && !question.wantsLogProbs && !question.wantsUsage && question.model == nil)
  }

  @Test(arguments: [
    "{}", "[]", #"{"messages": 3}"#, #"{"messages": [{"content": "x"}]}"#,
    #"{"messages": [{"content": [\#(image)]}], "n": 11}"#,
    #"{"messages": [{"content": [\#(image)]}], "n": 1.5}"#,
    #"{"messages": [{"content": [\#(image), \#(image)]}], "n": 2}"#,
    #"{"messages": [{"content": [\#(image)]}], "stream": "yes"}"#,
    #"{"messages": [{"content": [{"type": "image_url"}]}]}"#,
    #"{"messages": [{"content": [{"type": "image_url", "image_url": "https://example.org/a.png"}]}]}"#,
  ])
  func whatMakesNoSenseIsRefused(_ body: String) {
    #expect(throws: Problem.self) { try OpenAIQuestion(chat: Array(body.utf8)) }
  }
}
