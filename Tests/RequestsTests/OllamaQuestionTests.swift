import Testing

@testable import Requests

@Suite struct OllamaQuestionTests {
  @Test func generate() throws {
    let body =
      #"{"model": "a", "prompt": "What?", "images": ["AAEC", "AA=="], "stream": false, "format": "json"}"#
    let question = try OllamaQuestion(generate: Array(body.utf8))
    #expect(
      question.photos == [
        PhotoFile(name: "images[0]", bytes: [0, 1, 2]), PhotoFile(name: "images[1]", bytes: [0]),
      ])
    #expect(question.model == "a" && !question.streams && question.wantsJSON)
    let load = try OllamaQuestion(generate: Array("{}".utf8))
    #expect(load.photos == nil && load.model == nil && load.streams && !load.wantsJSON)
  }

  /// The last message that has images is the question.
  @Test func chat() throws {
    let body =
      #"{"messages": [{"images": ["AA=="]}, {"images": ["AQ=="]}, {"content": "x"}], "format": "", "stream": null}"#
    let question = try OllamaQuestion(chat: Array(body.utf8))
    #expect(question.photos == [PhotoFile(name: "messages[1].images[0]", bytes: [1])])
    #expect(question.beginning == nil)
    #expect(try OllamaQuestion(chat: Array(#"{"messages": []}"#.utf8)).photos == nil)
    // What the images came with, not what was said after.
    let begun =
      #"{"messages": [{"images": ["AA=="], "content": "a dog …"}, {"content": "a cat …"}]}"#
    #expect(try OllamaQuestion(chat: Array(begun.utf8)).beginning == "a dog")
    #expect(
      try OllamaQuestion(generate: Array(#"{"prompt": "a dog...", "images": ["AA=="]}"#.utf8)).beginning
        == "a dog")
  }

  @Test(arguments: [
    "[]", "{", #"{"images": 3}"#, #"{"images": [3]}"#, #"{"images": ["?"]}"#, #"{"images": [""]}"#,
    #"{"prompt": "x"}"#, #"{"format": {}, "images": ["AA=="]}"#, #"{"stream": 1, "images": ["AA=="]}"#,
    #"{"images": ["http://a/b.png"]}"#, #"{"images": ["data:image/png,AA=="]}"#,
  ])
  func whatMakesNoSenseIsRefused(_ body: String) {
    #expect(throws: Problem.self) { try OllamaQuestion(generate: Array(body.utf8)) }
  }

  @Test(arguments: [#"{"messages": 3}"#, #"{"messages": [3]}"#, #"{"messages": [{"images": "AA=="}]}"#])
  func whatIsNoConversationIsRefused(_ body: String) {
    #expect(throws: Problem.self) { try OllamaQuestion(chat: Array(body.utf8)) }
  }
}
