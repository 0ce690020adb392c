import Foundation
import Kernels
import Language
import Layers
import TestSupport
import Tensors
import Testing

@testable import Captioning

/// The search's definition again, one caption at a time, every log-probability from a whole forward pass.
private func plainBeam(
  _ decoder: CaptionDecoder, v: Tensor, words: Int, width: Int, captions: Int, length: Int
) -> [Hypothesis] {
  let search = BeamSearch(decoder)
  func extended(_ caption: [Int32], by word: Int32) -> Double {
    if word == Vocabulary.end { return search.score(caption, v: v).total }
    return search.score(caption + [word], v: v).logProbs.dropLast().reduce(0) { $0 + Double($1) }
  }
  var (live, finished): ([[Int32]], [[Int32]]) = ([[]], [])
  for step in 0...length {
    let words = step == length ? [Vocabulary.end] : [Vocabulary.end] + spoken(words)
    let candidates = live.flatMap { caption in words.map { (caption, $0, extended(caption, by: $0)) } }
      .sorted { $0.2 > $1.2 }
    finished += candidates.prefix(width).filter { $0.1 == Vocabulary.end }.map(\.0)
    live = candidates.filter { $0.1 != Vocabulary.end }.prefix(width).map { $0.0 + [$0.1] }
  }
  return Array(finished.map { search.score($0, v: v) }.sorted { $0.total > $1.total }.prefix(captions))
}

@Suite struct BeamSearchTests {
  @Test(arguments: Injection.allCases, [(5, 1), (6, 1), (7, 1), (6, 2), (6, 3)])
  func wideBeamsFindTheLikeliestOfAll(way: Injection, size: (words: Int, layers: Int)) {
    let words = size.words
    let (decoder, v) = tinyDecoder(words: words, layers: size.layers, injection: way)
    for length in [0, 1, 4] {
      let options = BeamSearch.Options(beamWidth: 130, captions: 5, maximumLength: length)
      for (image, found) in BeamSearch(decoder, options).search(v: v).enumerated() {
        let row = v.row(image).reshaped([1, 5])
        expectSame(found, Array(allCaptions(decoder, v: row, words: words, length: length).prefix(5)))
      }
    }
  }

  @Test(arguments: [1, 2, 3, 5], [30, 31, 32] as [UInt64]) func narrowBeamsFollowTheDefinition(
    width: Int, seed: UInt64
  ) {
    let (decoder, v) = tinyDecoder(words: 12, seed: seed)
    for captions in [1, width] {
      let options = BeamSearch.Options(beamWidth: width, captions: captions, maximumLength: 7)
      for (image, found) in BeamSearch(decoder, options).search(v: v).enumerated() {
        let row = v.row(image).reshaped([1, 5])
        expectSame(
          found, plainBeam(decoder, v: row, words: 12, width: width, captions: captions, length: 7))
      }
    }
  }

  /// Width 1 takes the likeliest word that may be spoken at every step.
  @Test func widthOneIsGreedy() {
    let (decoder, v) = tinyDecoder(words: 12)
    let search = BeamSearch(decoder)
    let found = BeamSearch(decoder, .init(beamWidth: 1, maximumLength: 9)).search(v: v)
    for image in 0..<4 {
      let row = v.row(image).reshaped([1, 5])
      var caption: [Int32] = []
      while caption.count < 9 {
        let ends = search.score(caption, v: row).logProbs.last!
        let next = spoken(12).map { ($0, search.score(caption + [$0], v: row).logProbs[caption.count]) }
          .max { $0.1 < $1.1 }!
        if ends > next.1 { break }
        caption.append(next.0)
      }
      #expect(found[image].map(\.words) == [caption + [Vocabulary.end]])
    }
  }

  /// The words that are never spoken keep their share of the softmax.
  @Test func likelihoodsAreOfTheWholeVocabulary() {
    var (decoder, v) = tinyDecoder(words: 7)
    decoder.output.linear.bias!.value = Tensor([3, 9, 0, 5, 0, 0, 0], [7])
    let options = BeamSearch.Options(beamWidth: 4, captions: 4, maximumLength: 3)
    for (image, found) in BeamSearch(decoder, options).search(v: v).enumerated() {
      #expect(found.count == 4)
      for caption in found {
        #expect(caption.logProb < -5 * Float(caption.words.count))
        #expect(caption.words.dropLast().allSatisfy { $0 > Vocabulary.unknown })
        #expect(caption.words.last == Vocabulary.end)
        let again = BeamSearch(decoder).score(
          Array(caption.words.dropLast()), v: v.row(image).reshaped([1, 5]))
        expectSame([caption], [again])
      }
    }
  }

  @Test func neverReturnsNothing() {
    // A vocabulary without words, a decoder that never ends by itself, and one that is broken.
    let (small, v) = tinyDecoder(words: 4)
    #expect(
      BeamSearch(small).search(v: v).map { $0.map(\.words) } == Array(repeating: [[Vocabulary.end]], count: 4)
    )
    var (endless, _) = tinyDecoder(words: 7)
    endless.output.linear.bias!.value = Tensor([0, 0, -1000, 0, 0, 0, 0], [7])
    for found in BeamSearch(endless, .init(beamWidth: 2, captions: 2, maximumLength: 5)).search(v: v) {
      #expect(found.map(\.words.count) == [6, 6])
      #expect(found[0].logProb >= found[1].logProb && found[0].logProb < -900)
    }
    var broken = endless
    broken.output.linear.bias!.value = Tensor(repeating: .nan, [7])
    #expect(BeamSearch(broken).search(v: v).map(\.count) == [1, 1, 1, 1])
    #expect(BeamSearch(endless).search(v: Tensor(zeros: [0, 5])).isEmpty)
  }

  /// Images do not touch each other, whatever the number of threads.
  @Test func batchesGiveWhatImagesGiveAlone() {
    let (decoder, v) = tinyDecoder(words: 40, layers: 2)
    let options = BeamSearch.Options(beamWidth: 3, captions: 3, maximumLength: 8)
    let together = BeamSearch(decoder, options, pool: ThreadPool(threads: 1)).search(v: v)
    #expect(BeamSearch(decoder, options, pool: ThreadPool(threads: 4)).search(v: v) == together)
    for image in 0..<4 {
      expectSame(BeamSearch(decoder, options).search(v: v.row(image).reshaped([1, 5]))[0], together[image])
    }
  }

  @Test func equalWordsAreChosenByTheirNumber() {
    var (decoder, v) = tinyDecoder(words: 9)
    decoder.visitParameters { $0.value = Tensor(zeros: $0.value.shape) }
    let found = BeamSearch(decoder, .init(beamWidth: 2, captions: 2, maximumLength: 2)).search(v: v)
    #expect(found[0].map(\.words) == [[Vocabulary.end], [4, Vocabulary.end]])
  }
}
