import Testing

@testable import Requests

@Suite struct HuggingFaceQuestionTests {
  @Test func bytesOrJSON() throws {
    let json = Array(#"{"inputs": "AAEC"}"#.utf8)
    #expect(try HuggingFaceQuestion([1], contentType: nil).photo == PhotoFile(name: "image", bytes: [1]))
    #expect(try HuggingFaceQuestion(json, contentType: "text/plain").photo.bytes == json)
    #expect(
      try HuggingFaceQuestion(json, contentType: "Application/JSON; charset=utf-8").photo
        == PhotoFile(name: "inputs", bytes: [0, 1, 2]))
  }

  @Test func nothingIsRefused() {
    #expect(throws: Problem.self) { try HuggingFaceQuestion([], contentType: nil) }
    #expect(throws: Problem.self) {
      try HuggingFaceQuestion(Array("{}".utf8), contentType: "application/json")
    }
  }
}
