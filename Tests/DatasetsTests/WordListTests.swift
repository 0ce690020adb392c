import Datasets
import Foundation
import TestSupport
import Testing

private func list(_ text: String) throws -> [[String]] {
  try withTemporaryFolder { folder in
    try text.write(toFile: folder + "/words", atomically: false, encoding: .utf8)
    return try WordList(path: folder + "/words").phrases
  }
}

@Suite struct WordListTests {
  @Test func wordsAreLines() throws {
    #expect(try list("# comment\nDog\n\nhot dog.\r\ndog\n") == [["dog"], ["hot", "dog"]])
  }

  @Test func filesWithoutWordsGetALine() {
    #expect(throws: DatasetError.self) { try list("...\n# x\n") }
    #expect(throws: DatasetError.self) { try list(String(repeating: "x", count: 300)) }
    #expect(throws: DatasetError.self) { try WordList(path: "/nowhere") }
  }
}
