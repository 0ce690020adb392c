import Foundation
import TestSupport
import Testing

@testable import CaptionMetrics

@Suite struct ParaphrasesTests {
  /// A file of stored blocks, which is a gzip file that needs no packing.
  private func paraphrases(_ text: String, of texts: [String]) throws -> (Paraphrases, WordIndex, [[Int32]]) {
    var words = WordIndex()
    let numbered = texts.map { tokens($0).map { words.add($0) } }
    return try withTemporaryFolder { folder in
      let path = folder + "/table.gz"
      try Data(StoredGzip.file(Array(text.utf8))).write(to: URL(fileURLWithPath: path))
      return (try Paraphrases(path: path, words: words, texts: numbered), words, numbered)
    }
  }

  @Test func phrasesOfTheTextsAreKeptInOrder() throws {
    let table = """
      0.1
      two dogs
      dogs
      0.2
      two dogs
      a couple of
      1.0E-4
      two dogs
      dogs run
      .5
      dogs
      two dogs
      0.1
      run two
      dogs
      0.1
      zebras
      dogs

      """
    let (found, _, texts) = try paraphrases(table, of: ["two dogs run", "dogs", "a couple"])
    let occurrences = found.occurrences(in: texts[0])
    // two, two dogs, dogs, dogs run: `run two` is in no text, nor is `a couple of`.
    #expect(occurrences.map(\.start) == [0, 0, 1, 1] && occurrences.map(\.length) == [1, 2, 1, 2])
    let phrases = occurrences.map(\.phrase)
    #expect(Array(found.paraphrases(of: phrases[1])) == [phrases[2], phrases[3]])
    #expect(Array(found.paraphrases(of: phrases[2])) == [phrases[1]])
    #expect(found.paraphrases(of: phrases[0]).isEmpty && found.paraphrases(of: phrases[3]).isEmpty)
    #expect(found.occurrences(in: texts[2]).isEmpty)
  }

  @Test(arguments: [
    ("x\na\nb\n", "line 1: expected a probability, found `x`"),
    ("0.1\n", "line 1: expected a phrase after it, found the end"),
    ("0.1\na\n", "line 2: expected another phrase after it, found the end"),
    ("0.1\n \nb\n", "line 2: expected a phrase of 1 to 32 words, found none"),
    ("0.1\na\n\n", "line 3: expected a phrase of 1 to 32 words, found none"),
    (
      "0.1\n" + String(repeating: "a ", count: 33) + "\nb\n",
      "line 2: expected a phrase of 1 to 32 words, found more"
    ),
  ])
  func filesOfAnotherFormAreRefused(text: String, message: String) {
    #expect { try paraphrases(text, of: ["a a", "b"]) } throws: { "\($0)".hasSuffix(message) }
  }
}

/// gzip files whose bytes are as they were.
enum StoredGzip {
  static func file(_ bytes: [UInt8]) -> [UInt8] {
    var file: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3]
    var rest = bytes[...]
    repeat {
      let block = rest.prefix(0xFFFF)
      rest = rest.dropFirst(0xFFFF)
      let count = UInt16(block.count)
      file += [
        rest.isEmpty ? 1 : 0, UInt8(count & 0xFF), UInt8(count >> 8), ~UInt8(count & 0xFF),
        ~UInt8(count >> 8),
      ]
      file += block
    } while !rest.isEmpty
    var sum: UInt32 = ~0
    for byte in bytes {
      sum ^= UInt32(byte)
      for _ in 0..<8 { sum = sum & 1 == 0 ? sum >> 1 : sum >> 1 ^ 0xEDB8_8320 }
    }
    for number in [~sum, UInt32(truncatingIfNeeded: bytes.count)] {
      for shift in stride(from: UInt32(0), to: 32, by: 8) { file.append(UInt8(number >> shift & 0xFF)) }
    }
    return file
  }
}
