import Foundation
import Language
import Support
import Tensors
import TestSupport
import Testing

@testable import Models
@testable import Decoding

@Suite struct CaptionScoresTests {
  private static let maps: Tensor = {
    var random = Random(seed: 5)
    return Tensor(uniform: [5, TinyNetwork.pooledSize], limit: 2, using: &random)
  }()

  private static func captioner(_ metadata: [String: String] = TinyNetwork.metadata) throws -> CaptionModel {
    try withTemporaryFolder { folder in
      try TinyNetwork.writeModel(to: folder + "/m.safetensors", metadata: metadata)
      return try CaptionModel(contentsOf: folder + "/m.safetensors", caching: .resident)
    }
  }

  /// Every word's likelihood at each place of "a dog", by scoring the caption with that word there.
  @Test func ranksAndRunnersUpAreThoseOfAllWords() throws {
    let captioner = try Self.captioner()
    let row = Self.maps.row(0).reshaped([1, TinyNetwork.pooledSize])
    let vocabulary = captioner.description.vocabulary
    let scored = captioner.score(["a", "dog"], row, runnersUp: 4)
    #expect(scored.words.map(\.word) == ["a", "dog", "</s>"])
    for place in 0..<2 {
      var words: [Int32] = [4, 5]
      let all = (0..<Int32(vocabulary.count)).map { word in
        words[place] = word
        return captioner.logProbs(of: [words], rows: [0], maps: row)[0][place]
      }
      let word = scored.words[place]
      #expect(word.rank == 1 + all.count { $0 > word.logProb })
      let own = vocabulary.id(of: word.word)!
      let others = all.indices.filter { Int32($0) != own }.sorted { all[$0] > all[$1] }.prefix(4)
      #expect(word.runnersUp.map(\.word) == others.map { vocabulary.words[$0] })
      #expect(zip(word.runnersUp, others).allSatisfy { abs($0.logProb - all[$1]) < 1e-4 })
    }
    #expect(abs(scored.normalizedLogProb - scored.logProb / 3) < 1e-6)
    // More than there are.
    #expect(captioner.score(["a"], row, runnersUp: 100).words[0].runnersUp.count == vocabulary.count - 1)
    #expect(captioner.score([], row).words.count == 1)
  }

  /// Shared beginnings, equal captions, one that begins another, none at all.
  @Test func theTreeSaysWhatEachCaptionSays() throws {
    let captioner = try Self.captioner()
    let captions: [[Int32]] = [
      [4, 5, 7], [4, 5], [4, 6, 8, 9], [], [4, 5, 7], [10, 11], [3, 3, 3, 3, 3],
    ]
    let tree = PrefixTree(captions)
    #expect(tree.nodes == 1 + 3 + 4 + 3 + 2 + 1 && tree.width == 4)
    var steps: [Int] = []
    let matrix = captioner.logProbs(ofAll: captions, maps: Self.maps) { steps.append($0) }
    #expect(matrix.shape == [5, captions.count] && steps.last == 5)
    for image in 0..<5 {
      let alone = captioner.logProbs(of: captions, rows: captions.map { _ in image }, maps: Self.maps)
      for (caption, words) in alone.enumerated() {
        #expect(abs(matrix.row(image)[caption] - words.reduce(0, +)) < 1e-4, "\(image) \(caption)")
      }
    }
    #expect(captioner.logProbs(ofAll: [], maps: Self.maps).count == 0)
  }

  @Test func aCalibratedModelTellsItsConfidence() throws {
    let confidence = Confidence(
      intercept: 1, weights: [2, -0.25, 0.5, 3], metric: "CIDEr", threshold: 0.5,
      fitted: (images: 10, good: 4),
      calibrationError: 0.02)
    var description = try Self.captioner().description
    #expect(description.confidence == nil)
    description.confidence = confidence
    let captioner = try Self.captioner(description.metadata())
    #expect(captioner.description == description)
    let row = Self.maps.row(1).reshaped([1, TinyNetwork.pooledSize])
    let caption = captioner.captions(row)[0][0]
    let support = try #require(caption.support)
    let lowest = Double(try #require(caption.words.map(\.logProb).min()))
    let told: [Double] = [1, 2 * Double(caption.normalizedLogProb), -0.25 * Double(caption.words.count)]
    let logit = told.reduce(0, +) + 0.5 * lowest + 3 * support
    #expect(abs(try #require(caption.confidence) - 1 / (1 + exp(-logit))) < 1e-9)
    let impossible = Caption(words: [Caption.ScoredWord(word: "</s>", logProb: -.infinity)])
    #expect(confidence(impossible) == 0)
    // A file that says no threshold has the usual one.
    var judged = caption
    for (told, isUnsure) in [(0.2499, true), (0.25, false)] {
      judged.confidence = told
      #expect(confidence.isUnsure(judged) == isUnsure)
    }
    description.confidence?.unsureBelow = 1
    #expect(try Self.captioner(description.metadata()).description.confidence?.isUnsure(caption) == true)
    var damaged = try description.metadata()
    damaged["confidence"] = #"{"intercept": 1}"#
    #expect(throws: ModelError.self) { try Self.captioner(damaged) }
  }
}
