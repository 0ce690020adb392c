import Testing

@testable import Requests

@Suite struct LeadingPhraseTests {
  @Test(arguments: [
    ("a photo of …", "a photo of"), ("a dog...", "a dog"), ("  a  dog .... \n", "a  dog"), ("a…", "a"),
  ])
  func dotsBegin(_ prompt: String, _ expected: String) {
    #expect(LeadingPhrase.of(prompt) == expected)
  }

  @Test(arguments: [
    nil, "", "…", " ... ", "a dog", "a dog.", "a dog..", "What is it?", "… a dog",
    String(repeating: "a ", count: 200) + "…",
  ])
  func allElseDoesNot(_ prompt: String?) {
    #expect(LeadingPhrase.of(prompt) == nil)
  }
}
