import Testing

@testable import Evaluation

private func words(_ text: String) -> [String] { text.split(separator: " ").map(String.init) }

private func scores(_ rows: [(String, [String])], of list: [String]) -> WordScores {
  WordScores(rows.map { (words($0.0), $0.1.map(words)) }, of: list.map(words))
}

@Suite struct WordScoresTests {
  @Test func wordsAreRightWhereAReferenceHasThem() {
    let found = scores(
      [
        ("a dog eats a hot dog", ["a dog", "a hot dog on a plate"]), ("a dog runs", ["a cat runs", "a cat"]),
        ("a cat", ["two dogs and a cat"]), ("the end", ["a dog", "hot and dog"]),
      ], of: ["dog", "hot dog", "cat", "zebra"])
    #expect(found.words.map(\.word) == ["dog", "hot dog", "cat", "zebra"])
    #expect(found.words.map(\.images) == [2, 1, 2, 0])
    #expect(found.words.map(\.captions) == [2, 1, 1, 0])
    #expect(found.words.map(\.right) == [1, 1, 1, 0])
    #expect(found.words[0].precision == 0.5 && found.words[0].recall == 0.5)
    #expect(found.words[2].precision == 1 && found.words[2].recall == 0.5)
    #expect(found.words[3].precision == nil && found.words[3].recall == nil)
    #expect(found.precision == 0.75 && found.recall == 0.6)
  }

  @Test func nothingIsNoShare() {
    let found = scores([], of: ["dog"])
    #expect(found.precision == nil && found.recall == nil && found.words[0].images == 0)
  }
}
