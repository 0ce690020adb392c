import Foundation
import Support
import TestSupport
import Testing

@testable import Datasets

private func sentences(_ files: [Data]) throws -> [[String]] {
  try withTemporaryFolder { folder in
    let paths = try files.enumerated().map { number, data in
      let path = "\(folder)/\(number).txt"
      try data.write(to: URL(fileURLWithPath: path))
      return path
    }
    return Array(try TokenizedCaptions(textFiles: paths))
  }
}

private func text(_ lines: String) -> Data { Data(lines.utf8) }

/// What is said of a file, after its path.
private func refusal(_ data: Data) throws -> String? {
  do {
    _ = try sentences([data])
    return nil
  } catch {
    let line = "\(error)"
    return line.contains("/0.txt: ") ? line.components(separatedBy: "/0.txt: ")[1] : line
  }
}

@Suite struct TextLinesTests {
  @Test func sentencesAreLines() throws {
    let found = try sentences([
      text("\u{FEFF}A dog runs.\r\n\n  \n...\nTwo cats, sitting\n"), text("one more"),
    ])
    #expect(found == [["a", "dog", "runs"], ["two", "cats", "sitting"], ["one", "more"]])
  }

  /// Pieces that several threads take, and lines across their borders.
  @Test func manyLinesStayInOrder() throws {
    let lines = (0..<60_000).map { "line \($0) of the file has words\($0 % 7)" }
    let found = try sentences([text(lines.joined(separator: "\n"))])
    #expect(found.count == 60_000)
    #expect(found[59_999] == ["line", "59999", "of", "the", "file", "has", "words\(59_999 % 7)"])
    #expect(found.indices.allSatisfy { found[$0][1] == "\($0)" })
  }

  @Test func hostileFilesGetALine() throws {
    #expect(try refusal(Data()) == "the file: expected sentences, one a line, found an empty file")
    #expect(
      try refusal(text("\n \n...\n")) == "the file: expected sentences, one a line, found none with a word")
    #expect(
      try refusal(text("a dog\na caf") + Data([0xE9]) + text(" here\n"))
        == "line 2: expected UTF-8, found bytes that are not")
    #expect(
      try refusal(text("a dog\n" + String(repeating: "long ", count: 2_000_000) + "\nb\n"))
        == "line 2: expected a sentence of at most 8192 bytes, found 10000000 bytes")
    #expect(
      try refusal(text("[{\"caption\": \"a dog\"}]"))
        == "the file: expected sentences, one a line, found a JSON file")
    #expect(
      try refusal(Data([0x89]) + text("PNG\r\n"))
        == "the file: expected sentences, one a line, found a PNG picture")
    // Far from the first piece.
    let lines = text(String(repeating: "a line of forty bytes or so, all alike\n", count: 60_000))
    #expect(
      try refusal(lines + Data([0xFF, 0x0A])) == "line 60001: expected UTF-8, found bytes that are not")
    #expect(throws: DatasetError.self) { try TokenizedCaptions(textFiles: ["/nowhere/text.txt"]) }
  }
}
