import Foundation
import Language
import Layers
import TestSupport
import Testing

@testable import LanguageModels

/// A text file in a folder.
func textFile(_ folder: String, _ bytes: [UInt8], _ name: String = "text.txt") throws -> String {
  try Data(bytes).write(to: URL(fileURLWithPath: folder + "/" + name))
  return folder + "/" + name
}

@Suite struct CharacterTextTests {
  @Test func everyScalarStays() throws {
    try withTemporaryFolder { folder in
      let path = try textFile(folder, [0xEF, 0xBB, 0xBF] + Array("a\r\né\u{0}e\u{301}🙂\u{FEFF}".utf8))
      let text = try CharacterText(contentsOf: [path, path])
      let once = Array("a\r\né\u{0}e\u{301}🙂\u{FEFF}".unicodeScalars)
      #expect(Array(text.scalars) == once + once)
    }
  }

  /// What is no UTF-8 is named by its place, in one line.
  @Test(
    arguments: [
      ([0x61, 0xFF, 0x62], "byte 1: expected UTF-8 text, found a byte that is none"),
      ([0x61, 0xC3], "byte 1: expected UTF-8 text, found a byte that is none"),
      ([0xED, 0xA0, 0x80], "byte 0: expected UTF-8 text, found a byte that is none"),
      ([0x89, 0x50, 0x4E, 0x47, 0xFF], "byte 0: expected UTF-8 text, found a PNG picture"),
      ([], "the file: expected a text, found an empty file"),
      ([0xEF, 0xBB, 0xBF], "the file: expected a text, found an empty file"),
    ] as [([UInt8], String)])
  func badBytesAreNamed(bytes: [UInt8], problem: String) throws {
    try withTemporaryFolder { folder in
      let path = try textFile(folder, bytes)
      #expect {
        try CharacterText(contentsOf: [path])
      } throws: {
        "\($0)" == "\(path): \(problem)"
      }
    }
  }
}

@Suite struct TextVocabularyTests {
  @Test func charactersAreNumberedByCodePoint() throws {
    let text = CharacterText(Array("banana\nébé".unicodeScalars)[...])
    let vocabulary = TextVocabulary(of: text, minimumCount: 1, hasUnknown: false)
    #expect((0..<5).map { vocabulary.text(of: $0) } == ["\n", "a", "b", "n", "é"])
    #expect(vocabulary.count == 5 && vocabulary.unknown == nil && vocabulary.beginning == 0)
    #expect(try vocabulary.encode(text.scalars).map { vocabulary.text(of: $0) }.joined() == "banana\nébé")
    #expect {
      try vocabulary.encode(Array("bax".unicodeScalars)[...])
    } throws: {
      ($0 as? UnknownCharacter)?.place == 2
    }
  }

  @Test func rareOnesBecomeUnknown() throws {
    let text = CharacterText(Array("banana\nébé".unicodeScalars)[...])
    let vocabulary = TextVocabulary(of: text, minimumCount: 2, hasUnknown: true)
    #expect(vocabulary.count == 5 && vocabulary.unknown == 4 && vocabulary.unspoken == [4])
    #expect(try vocabulary.encode(Array("a\nx🙂".unicodeScalars)[...]) == [0, 4, 4, 4])
    #expect(vocabulary.text(of: 4) == "<unk>" && vocabulary.beginning == 4)
  }

  @Test func survivesJSON() throws {
    let text = CharacterText(Array("\u{0}\"\\\ne\u{301}é🙂".unicodeScalars)[...])
    for hasUnknown in [true, false] {
      let vocabulary = TextVocabulary(of: text, minimumCount: 1, hasUnknown: hasUnknown)
      let data = try JSONEncoder().encode(vocabulary)
      #expect(try JSONDecoder().decode(TextVocabulary.self, from: data) == vocabulary)
    }
    let words = TextVocabulary(Vocabulary(counts: ["dog": 3, "cat": 1], minimumCount: 1))
    let data = try JSONEncoder().encode(words)
    #expect(try JSONDecoder().decode(TextVocabulary.self, from: data) == words)
  }

  @Test(arguments: [
    #"{"characters": ["b", "a"], "unknown": true}"#, #"{"characters": ["a", "a"], "unknown": true}"#,
    #"{"characters": ["ab"], "unknown": true}"#, #"{"characters": [""], "unknown": true}"#,
    #"{"characters": [], "unknown": true}"#, #"{"characters": ["a"]}"#, #"{"words": ["dog"]}"#, "{}",
  ]) func whatIsNoneIsRefused(json: String) {
    #expect(throws: (any Error).self) {
      try JSONDecoder().decode(TextVocabulary.self, from: Data(json.utf8))
    }
  }
}

@Suite struct EncodedTextTests {
  /// Sentences of words begin and end with `</s>`; those held out are the last.
  @Test func wordsAreSentences() throws {
    try withTemporaryFolder { folder in
      let path = try textFile(folder, Array("A dog runs.\n\n...\nA cat\nThe dog\n".utf8))
      let text = try SourceText(contentsOf: [path], unit: .words)
      let (first, last) = text.divided(lastShare: 0.1)
      let vocabulary = first.vocabulary(minimumCount: 1, hasUnknown: true)
      #expect(vocabulary.count == 4 + 4 && vocabulary.unit == .words)
      let learned = try EncodedText(first, as: vocabulary, named: path)
      #expect(
        learned.tokens.map { vocabulary.text(of: $0) }
          == ["</s>", "a", "dog", "runs", "</s>", "a", "cat", "</s>"])
      let held = try EncodedText(last, as: vocabulary, named: path)
      #expect(held.tokens.map { vocabulary.text(of: $0) } == ["</s>", "<unk>", "dog", "</s>"])
      #expect(held.unknownCount == 1)
    }
  }

  @Test func charactersAreDividedAtAShare() throws {
    let text = SourceText.characters(CharacterText(Array("0123456789".unicodeScalars)[...]))
    let (first, last) = text.divided(lastShare: 0.25)
    #expect(first.count == 7 && last.count == 3)
    #expect(text.divided(lastShare: 0.01).last.count == 1)
    let one = SourceText.characters(CharacterText(Array("0".unicodeScalars)[...]))
    #expect(one.divided(lastShare: 0.9).first.count == 1)
  }

  @Test func aCharacterWithoutAnIDIsNamed() throws {
    try withTemporaryFolder { folder in
      let path = try textFile(folder, Array("abcd".utf8))
      let vocabulary = TextVocabulary(
        of: CharacterText(Array("abd".unicodeScalars)[...]), minimumCount: 1, hasUnknown: false)
      #expect {
        try EncodedText(contentsOf: [path], as: vocabulary)
      } throws: {
        "\($0)".hasPrefix("\(path): character 2: expected characters that the model knows")
          && "\($0)".hasSuffix(#"found "c""#)
      }
    }
  }
}

@Suite struct TextStreamsTests {
  /// One stream is read as min-char-rnn reads: a chunk as long as one more than it is left.
  @Test func oneStreamIsReadInOrder() {
    let tokens = (0..<23).map(Int32.init)
    let streams = TextStreams(tokens, count: 1, chunkLength: 5)
    var expected: [Int] = []
    var p = 0
    while p + 5 + 1 < tokens.count {
      expected.append(p)
      p += 5
    }
    #expect(streams.chunks == expected.count)
    for (index, first) in expected.enumerated() {
      let chunk = streams.chunk(index)
      #expect(chunk.inputs == Array(tokens[first..<first + 5]))
      #expect(chunk.targets == Array(tokens[first + 1..<first + 6]))
      #expect(chunk.batchSizes == [1, 1, 1, 1, 1])
    }
  }

  @Test func severalAreReadSideBySide() {
    let streams = TextStreams((0..<22).map(Int32.init), count: 3, chunkLength: 3)
    #expect(streams.length == 7 && streams.chunks == 2 && streams.chunkTokens == 9)
    #expect(streams.chunk(1).inputs == [3, 10, 17, 4, 11, 18, 5, 12, 19])
    #expect(streams.chunk(1).targets == [4, 11, 18, 5, 12, 19, 6, 13, 20])
  }

  @Test(arguments: [2, 3, 4, 9]) func aShortTextIsOneChunk(count: Int) {
    let streams = TextStreams((0..<Int32(count)).map { $0 }, count: 5, chunkLength: 64)
    #expect(streams.chunks == 1)
    #expect(streams.chunk(0).positions == streams.chunkTokens)
  }

  /// Every token but the first is scored once.
  @Test(arguments: [(2, 1), (10, 3), (11, 3), (5000, 7)]) func allTokensAreScored(size: (Int, Int)) {
    let tokens = (0..<Int32(size.0)).map { $0 }
    let streams = ScoredStreams(tokens, count: size.1)
    var seen: [Int32] = []
    for chunk in streams.chunks {
      let sequences = streams.sequences(chunk)
      #expect(zip(sequences.inputs, sequences.targets).allSatisfy { $0 + 1 == $1 })
      seen += sequences.targets
    }
    #expect(seen.sorted() == Array(tokens.dropFirst()))
  }
}
