import Foundation
import Kernels
import Language
import Layers
import TestSupport
import Tensors
import Testing

@testable import Decoding

extension Constraints {
  /// From ids, unchecked.
  init(prefix: [Int32] = [], forced: [Int32] = [], forbidden: [Int32] = [], noRepeatNGram: Int = 0) {
    self.init()
    (self.prefix, self.forced, self.forbidden, self.noRepeatNGram) = (
      prefix, forced, forbidden, noRepeatNGram
    )
  }

  /// What they mean, of a whole caption without `</s>`.
  func allow(_ words: [Int32]) -> Bool {
    let nGrams =
      noRepeatNGram == 0 || words.count < noRepeatNGram
      ? [] : (0...words.count - noRepeatNGram).map { Array(words[$0..<$0 + noRepeatNGram]) }
    return words.starts(with: prefix) && forced.allSatisfy(words.contains)
      && !words.contains(where: forbidden.contains) && Set(nGrams).count == nGrams.count
  }
}

extension BeamOptions {
  func allow(_ words: [Int32]) -> Bool {
    (minimumLength...maximumLength).contains(words.count) && constraints.allow(words)
  }

  func score(_ caption: Hypothesis) -> Double {
    let length = Double(caption.words.count)
    return switch lengthNormalization {
    case .none: caption.total
    case .average: caption.total / length
    case .wu(let alpha): caption.total * exp(-alpha * log((5 + length) / 6))
    }
  }
}

/// Options over the words 4, 5, 6, and 5 words at most.
private let cases: [BeamOptions] = [
  .init(maximumLength: 5, lengthNormalization: .average),
  .init(maximumLength: 5, lengthNormalization: .wu(alpha: 0.7)),
  .init(maximumLength: 5, lengthNormalization: .wu(alpha: 3)),
  .init(maximumLength: 5, minimumLength: 2),
  .init(maximumLength: 3, minimumLength: 3),
  .init(maximumLength: 5, minimumLength: 2, constraints: .init(noRepeatNGram: 1)),
  .init(maximumLength: 5, constraints: .init(noRepeatNGram: 2)),
  .init(maximumLength: 5, minimumLength: 4, constraints: .init(noRepeatNGram: 3)),
  .init(maximumLength: 5, constraints: .init(forbidden: [5])),
  .init(maximumLength: 4, minimumLength: 1, constraints: .init(forbidden: [4, 6])),
  .init(maximumLength: 5, constraints: .init(forced: [5])),
  .init(maximumLength: 5, constraints: .init(forced: [6, 4])),
  .init(maximumLength: 3, constraints: .init(forced: [4, 5, 6])),
  .init(maximumLength: 5, lengthNormalization: .average, constraints: .init(forced: [4, 5, 6])),
  .init(maximumLength: 5, constraints: .init(prefix: [6])),
  .init(maximumLength: 3, constraints: .init(prefix: [5, 5, 4])),
  .init(maximumLength: 5, constraints: .init(prefix: [6, 5], forced: [5, 4])),
  .init(
    maximumLength: 5, minimumLength: 3, lengthNormalization: .wu(alpha: 0.6),
    constraints: .init(prefix: [6], forced: [4], noRepeatNGram: 2)),
  .init(
    maximumLength: 4, minimumLength: 2, lengthNormalization: .average,
    constraints: .init(prefix: [4, 4], forced: [6], forbidden: [5], noRepeatNGram: 3)),
]

@Suite struct ConstrainedSearchTests {
  /// A beam that drops nothing finds exactly the captions that are allowed, in their order.
  @Test(arguments: [Injection.everyStep, .firstStep], [30, 33] as [UInt64]) func wideBeamsFindTheBestOfAll(
    way: Injection, seed: UInt64
  ) {
    let (decoder, v) = tinyDecoder(words: 7, injection: way, seed: seed)
    for image in 0..<2 {
      let row = v.row(image).reshaped([1, 5])
      let all = allCaptions(decoder, v: row, words: 7, length: 5)
      for var options in cases {
        let allowed = all.filter { options.allow($0.words.dropLast()) }.sorted {
          options.score($0) > options.score($1)
        }
        #expect(!allowed.isEmpty)
        options.beamWidth = 1000
        for captions in [1, 4, 1000] {
          options.captions = captions
          expectSame(
            search(decoder, row, options)[0], Array(allowed.prefix(captions)), "\(options)")
        }
      }
    }
  }

  /// However narrow the beam, what it finds is allowed and ranked as asked, with `score`'s log-probabilities.
  @Test(arguments: [1, 2, 5]) func narrowBeamsKeepTheRules(width: Int) {
    let (decoder, v) = tinyDecoder(words: 14, seed: 31)
    let longer = [
      BeamOptions(maximumLength: 12, minimumLength: 12, constraints: .init(noRepeatNGram: 2)),
      .init(maximumLength: 9, minimumLength: 9, constraints: .init(forced: [4, 13, 8], noRepeatNGram: 1)),
      .init(maximumLength: 4, constraints: .init(prefix: [9], forced: [4, 13, 8])),
      .init(maximumLength: 12, constraints: .init(prefix: [9], forced: [12, 9, 10], forbidden: [4, 5, 6])),
      .init(maximumLength: 12, lengthNormalization: .average),
    ]
    for var options in cases + longer {
      options.beamWidth = width
      options.captions = width
      let all = search(decoder, v, options)
      #expect(all.count == 4)
      for (image, found) in all.enumerated() {
        #expect(!found.isEmpty && found.count <= width)
        #expect(Set(found.map(\.words)).count == found.count)
        #expect(zip(found, found.dropFirst()).allSatisfy { options.score($0) >= options.score($1) })
        for caption in found {
          let words = Array(caption.words.dropLast())
          #expect(options.allow(words) && caption.words.last == Vocabulary.end, "\(caption.words) \(options)")
          expectSame([caption], [score(decoder, words, v.row(image).reshaped([1, 5]))])
        }
      }
    }
  }

  /// The same search as before, whatever it is asked beside: a normalisation that changes nothing.
  @Test func powerZeroIsNoNormalization() {
    let (decoder, v) = tinyDecoder(words: 30)
    var options = BeamOptions(beamWidth: 4, captions: 4, maximumLength: 8)
    let plain = search(decoder, v, options)
    options.lengthNormalization = .wu(alpha: 0)
    #expect(search(decoder, v, options) == plain)
  }

  /// Where nothing may follow, captions end before the least length; a broken decoder gives one.
  @Test func neverReturnsNothing() {
    var (decoder, v) = tinyDecoder(words: 6)
    let stuck = BeamOptions(
      maximumLength: 9, minimumLength: 5, constraints: .init(noRepeatNGram: 1))
    #expect(search(decoder, v, stuck).map { $0[0].words.count } == [3, 3, 3, 3])
    let sampled = draw(
      decoder, v, .init(maximumLength: 9, minimumLength: 5, constraints: .init(noRepeatNGram: 1)),
      streams: [0, 1, 2, 3])
    #expect(sampled.map { $0[0].words.count } == [3, 3, 3, 3])
    #expect(sampled.allSatisfy { $0[0].logProb < 0 && $0[0].logProb.isFinite })
    decoder = decoder.withOutputBias(Tensor(repeating: .nan, [6]))
    for options in [
      stuck, .init(constraints: .init(prefix: [4])), .init(constraints: .init(forced: [4, 5])),
    ] {
      #expect(search(decoder, v, options).map(\.count) == [1, 1, 1, 1])
    }
  }

  @Test func optionsAreBroughtIntoRange() {
    let options = BeamOptions(beamWidth: 0, captions: 9, maximumLength: -1, minimumLength: 7)
    #expect(options == .init(beamWidth: 1, captions: 1, maximumLength: 0, minimumLength: 0))
  }
}
