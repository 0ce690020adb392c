import Foundation
import Kernels
import Language
import Layers
import TestSupport
import Tensors
import Testing

@testable import Decoding

/// The search's definition again, one caption at a time, every log-probability from a whole forward pass.
private func plainBeam(
  _ decoder: any SequenceDecoder, v: Tensor, words: Int, width: Int, captions: Int, length: Int
) -> [Hypothesis] {
  func extended(_ caption: [Int32], by word: Int32) -> Double {
    if word == Vocabulary.end { return score(decoder, caption, v).total }
    return score(decoder, caption + [word], v).logProbs.dropLast().reduce(0) { $0 + Double($1) }
  }
  var (live, finished): ([[Int32]], [[Int32]]) = ([[]], [])
  for step in 0...length {
    let words = step == length ? [Vocabulary.end] : [Vocabulary.end] + spoken(words)
    let candidates = live.flatMap { caption in words.map { (caption, $0, extended(caption, by: $0)) } }
      .sorted { $0.2 > $1.2 }
    finished += candidates.prefix(width).filter { $0.1 == Vocabulary.end }.map(\.0)
    live = candidates.filter { $0.1 != Vocabulary.end }.prefix(width).map { $0.0 + [$0.1] }
  }
  return Array(finished.map { score(decoder, $0, v) }.sorted { $0.total > $1.total }.prefix(captions))
}

@Suite struct BeamSearchTests {
  @Test(arguments: CellName.allCases, [(5, 1), (7, 1), (6, 2), (6, 3)])
  func wideBeamsFindTheLikeliestOfAll(cell: CellName, size: (words: Int, layers: Int)) {
    let words = size.words
    let way = size.layers == 2 ? Injection.firstStep : .everyStep
    let (decoder, v) = tinyDecoder(words: words, layers: size.layers, cell: cell, injection: way)
    for length in [0, 1, 4] {
      let options = BeamOptions(beamWidth: 130, captions: 5, maximumLength: length)
      for (image, found) in search(decoder, v, options).enumerated() {
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
      let options = BeamOptions(beamWidth: width, captions: captions, maximumLength: 7)
      for (image, found) in search(decoder, v, options).enumerated() {
        let row = v.row(image).reshaped([1, 5])
        expectSame(
          found, plainBeam(decoder, v: row, words: 12, width: width, captions: captions, length: 7))
      }
    }
  }

  /// Width 1 takes the likeliest word that may be spoken at every step.
  @Test func widthOneIsGreedy() {
    let (decoder, v) = tinyDecoder(words: 12)
    let found = search(decoder, v, .init(beamWidth: 1, maximumLength: 9))
    for image in 0..<4 {
      let row = v.row(image).reshaped([1, 5])
      var caption: [Int32] = []
      while caption.count < 9 {
        let ends = score(decoder, caption, row).logProbs.last!
        let next = spoken(12).map { ($0, score(decoder, caption + [$0], row).logProbs[caption.count]) }
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
    decoder = decoder.withOutputBias(Tensor([3, 9, 0, 5, 0, 0, 0], [7]))
    let options = BeamOptions(beamWidth: 4, captions: 4, maximumLength: 3)
    for (image, found) in search(decoder, v, options).enumerated() {
      #expect(found.count == 4)
      for caption in found {
        #expect(caption.logProb < -5 * Float(caption.words.count))
        #expect(caption.words.dropLast().allSatisfy { $0 > Vocabulary.unknown })
        #expect(caption.words.last == Vocabulary.end)
        let again = score(
          decoder, Array(caption.words.dropLast()), v.row(image).reshaped([1, 5]))
        expectSame([caption], [again])
      }
    }
  }

  @Test func neverReturnsNothing() {
    // A vocabulary without words, a decoder that never ends by itself, and one that is broken.
    let (small, v) = tinyDecoder(words: 4)
    #expect(
      search(small, v).map { $0.map(\.words) } == Array(repeating: [[Vocabulary.end]], count: 4)
    )
    var (endless, _) = tinyDecoder(words: 7)
    endless = endless.withOutputBias(Tensor([0, 0, -1000, 0, 0, 0, 0], [7]))
    for found in search(endless, v, .init(beamWidth: 2, captions: 2, maximumLength: 5)) {
      #expect(found.map(\.words.count) == [6, 6])
      #expect(found[0].logProb >= found[1].logProb && found[0].logProb < -900)
    }
    var broken = endless
    broken = broken.withOutputBias(Tensor(repeating: .nan, [7]))
    #expect(search(broken, v).map(\.count) == [1, 1, 1, 1])
    #expect(search(endless, Tensor(zeros: [0, 5])).isEmpty)
  }

  /// Images do not touch each other, whatever the number of threads.
  @Test func batchesGiveWhatImagesGiveAlone() {
    let (decoder, v) = tinyDecoder(words: 40, layers: 2)
    let options = BeamOptions(beamWidth: 3, captions: 3, maximumLength: 8)
    let together = search(decoder, v, options, on: Device(pool: ThreadPool(threads: 1)))
    #expect(search(decoder, v, options, on: Device(pool: ThreadPool(threads: 4))) == together)
    for image in 0..<4 {
      expectSame(search(decoder, v.row(image).reshaped([1, 5]), options)[0], together[image])
    }
  }

  @Test func equalWordsAreChosenByTheirNumber() {
    var (decoder, v) = tinyDecoder(words: 9)
    decoder.visitParameters { $0.value = Tensor(zeros: $0.value.shape) }
    let found = search(decoder, v, .init(beamWidth: 2, captions: 2, maximumLength: 2))
    #expect(found[0].map(\.words) == [[Vocabulary.end], [4, Vocabulary.end]])
  }
}
