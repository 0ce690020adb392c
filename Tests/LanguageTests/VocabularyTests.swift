import Foundation
import Language
import Testing

private let captions = [
  ["a", "dog", "runs"], ["a", "cat"], ["a", "dog", "<s>"], [], ["zebra", "Éclair", "cat"],
]

@Test func wordsAreOrderedByCountThenAlphabet() {
  let vocabulary = Vocabulary(counts: Vocabulary.counts(of: captions), minimumCount: 1)
  #expect(
    vocabulary.words == ["<pad>", "<s>", "</s>", "<unk>", "a", "cat", "dog", "runs", "zebra", "Éclair"])
  #expect(vocabulary.count == 10)
  #expect(
    Vocabulary(counts: Vocabulary.counts(of: captions), minimumCount: 2).words.dropFirst(4) == [
      "a", "cat", "dog",
    ])
  #expect(Vocabulary(counts: [:], minimumCount: 1).words == Vocabulary.specialWords)
  #expect(Vocabulary(counts: ["": 9, "a b": 9, "<unk>": 9], minimumCount: 1).count == 4)
}

@Test func encodingAndDecoding() {
  let vocabulary = Vocabulary(counts: Vocabulary.counts(of: captions), minimumCount: 2)
  #expect(vocabulary.encode(["a", "dog", "flies", "</s>", "<pad>"]) == [4, 6, 3, 3, 3])
  #expect(vocabulary.decode([1, 4, 6, 3, 0, 2, 4]) == ["a", "dog", "<unk>"])
  #expect(
    vocabulary.decode([9999, -1, Int32.min, Int32.max, 5]) == ["<unk>", "<unk>", "<unk>", "<unk>", "cat"])
  #expect(vocabulary.id(of: "cat") == 5)
  #expect(vocabulary.id(of: "flies") == nil)
  #expect(vocabulary.id(of: "</s>") == Vocabulary.end)
}

@Test func vocabularySurvivesJSON() throws {
  let vocabulary = Vocabulary(counts: Vocabulary.counts(of: captions), minimumCount: 1)
  let data = try JSONEncoder().encode(vocabulary)
  #expect(try JSONDecoder().decode([String].self, from: data) == vocabulary.words)
  #expect(try JSONDecoder().decode(Vocabulary.self, from: data) == vocabulary)
}

@Test func badListsAreRefused() {
  let special = Vocabulary.specialWords
  #expect(throws: VocabularyError.missingSpecial(id: 0, expected: "<pad>", found: nil)) {
    try Vocabulary(words: [])
  }
  #expect(throws: VocabularyError.missingSpecial(id: 2, expected: "</s>", found: "dog")) {
    try Vocabulary(words: ["<pad>", "<s>", "dog", "<unk>"])
  }
  #expect(throws: VocabularyError.duplicate(word: "dog", ids: [4, 6])) {
    try Vocabulary(words: special + ["dog", "cat", "dog"])
  }
  #expect(throws: VocabularyError.duplicate(word: "<s>", ids: [1, 4])) {
    try Vocabulary(words: special + ["<s>"])
  }
  #expect(throws: VocabularyError.notAWord(id: 5, word: "")) { try Vocabulary(words: special + ["dog", ""]) }
  #expect(throws: VocabularyError.notAWord(id: 4, word: "a b")) { try Vocabulary(words: special + ["a b"]) }
  #expect(throws: VocabularyError.self) {
    try JSONDecoder().decode(Vocabulary.self, from: Data(#"["a"]"#.utf8))
  }
  let error = VocabularyError.missingSpecial(id: 2, expected: "</s>", found: "dog")
  #expect(error.description == #"vocabulary: word 2 must be </s>, found "dog""#)
}

@Test func statisticsCountTheUnknown() {
  let vocabulary = Vocabulary(counts: Vocabulary.counts(of: captions), minimumCount: 2)
  let statistics = vocabulary.statistics(of: captions)
  #expect(statistics.captions == 5)
  #expect(statistics.tokens == 11)
  #expect(statistics.distinctWords == 7)
  #expect(statistics.knownWords == 3)
  #expect(statistics.unknownTokens == 4)
  #expect(statistics.captionsByLength == [1, 0, 1, 3])
  #expect(abs(statistics.coverage - 7.0 / 11) < 1e-12)
  #expect(abs(statistics.meanLength - 2.2) < 1e-12)
  let none = vocabulary.statistics(of: [[String]]())
  #expect(none.coverage == 1 && none.meanLength == 0 && none.captionsByLength == [])
}
