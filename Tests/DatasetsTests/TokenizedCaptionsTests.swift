import Datasets
import Foundation
import Kernels
import Language
import TestSupport
import Testing

private func dataset(_ captions: [[String]]) throws -> CaptionDataset {
  let list = captions.enumerated().map { ["file_path": "\($0).jpg", "captions": $1] as [String: Any] }
  return try load(JSONSerialization.data(withJSONObject: list))
}

@Test func captionsBecomeWordsAndIDs() throws {
  let tokenized = try dataset([["A dog runs.", "A dog doesn't run."], [], ["Two cats", "!"]]).tokenized()
  #expect(
    tokenized.indices.map { tokenized[$0] } == [
      ["a", "dog", "runs"], ["a", "dog", "does", "n't", "run"], ["two", "cats"], [],
    ])
  #expect(tokenized.imageIndexes == [0, 0, 2, 2])
  #expect(tokenized.words == ["a", "dog", "runs", "does", "n't", "run", "two", "cats"])
  #expect(tokenized.counts == Vocabulary.counts(of: Array(tokenized)))
  let vocabulary = Vocabulary(counts: ["a": 3, "dog": 2, "cats": 1], minimumCount: 1)
  let encoded = tokenized.encoded(by: vocabulary)
  #expect(encoded.map(Array.init) == [[4, 5, 3], [4, 5, 3, 3, 3], [3, 6], []])
  #expect(encoded.indices.map(encoded.length) == [3, 5, 2, 0] && encoded.ids.count == 10)
  #expect(tokenized.statistics(of: vocabulary) == vocabulary.statistics(of: Array(tokenized)))
}

/// More captions than one thread takes at a time.
@Test func threadsDoNotMatterToWords() throws {
  let captions = (0..<5000).map { i in (0..<5).map { "word\(i % 997) and w\(($0 * i) % 1009) of \(i)" } }
  let many = try dataset(captions)
  let one = many.tokenized(pool: ThreadPool(threads: 1))
  #expect(one.count == 25_000 && one[24_999] == Tokenizer().tokens(captions[4999][4]))
  #expect(many.tokenized(pool: ThreadPool(threads: 4)) == one)
}

@Test func longCaptionsAreClippedOrDropped() {
  let clip = LengthLimit(maximum: 3, rule: .clip)
  let drop = LengthLimit(maximum: 3, rule: .drop)
  #expect(clip(["a", "b", "c", "d"]) == ["a", "b", "c"] && clip(["a"]) == ["a"])
  #expect(drop(["a", "b", "c", "d"]) == nil && drop(["a", "b", "c"]) == ["a", "b", "c"])
  var captions = EncodedCaptions()
  captions.append([4, 5, 6, 7])
  captions.append([])
  #expect(captions.compactMap { drop($0) }.map(Array.init) == [[]])
  #expect(captions.compactMap { clip($0) }.map(Array.init) == [[4, 5, 6], []])
}
