import Kernels
import Language
import Layers
import TestSupport
import Tensors
import Testing

@testable import Decoding

@Suite struct MutualInformationTests {
  /// ln p of a caption about no image.
  private func unseen(_ decoder: any SequenceDecoder, _ words: [Int32]) -> Double {
    let (sequences, _) = PackedSequences.packing(
      [words], imageRows: [0], start: Vocabulary.start, end: Vocabulary.end)
    let none = ImageFeatures(v: Tensor(zeros: [0, 5])).withUnseen()
    return TeacherForcedScores(decoder, sequences, about: none, on: .cpu).logProbs.reduce(0) {
      $0 + Double($1)
    }
  }

  /// A beam that drops nothing gives all captions in the order of what the image adds to them.
  @Test(arguments: [0.2, 0.5, 1], [LengthNormalization.none, .average]) func wideBeamsFindTheBestOfAll(
    weight: Double, normalization: LengthNormalization
  ) {
    let (decoder, v) = tinyDecoder(words: 7)
    for image in 0..<4 {
      let row = v.row(image).reshaped([1, 5])
      let all = allCaptions(decoder, v: row, words: 7, length: 3).map { caption in
        let information = caption.total - weight * unseen(decoder, caption.words.dropLast())
        return (
          caption, score: normalization == .average ? information / Double(caption.words.count) : information
        )
      }.sorted { $0.score > $1.score }.map(\.0)
      for captions in [1, 4, 40] {
        let options = BeamOptions(
          beamWidth: 100, captions: captions, maximumLength: 3, lengthNormalization: normalization,
          mutualInformation: weight)
        expectSame(search(decoder, row, options)[0], Array(all.prefix(captions)))
      }
    }
  }

  /// However narrow the beam: the captions it finds without, in another order, with the same log-probabilities.
  @Test(arguments: [1, 2, 5]) func narrowBeamsRankWhatTheyFind(width: Int) {
    let (decoder, v) = tinyDecoder(words: 14, seed: 31)
    var options = BeamOptions(beamWidth: width, captions: width, maximumLength: 6)
    let plain = search(decoder, v, options)
    options.mutualInformation = 0.7
    let ranked = search(decoder, v, options)
    if width == 5 { #expect(ranked != plain) }
    for (plain, ranked) in zip(plain, ranked) {
      func information(_ caption: Hypothesis) -> Double {
        caption.total - 0.7 * unseen(decoder, caption.words.dropLast())
      }
      expectSame(ranked, plain.sorted { information($0) > information($1) })
    }
    options.captions = 1
    #expect(search(decoder, v, options).map { $0[0] } == ranked.map { $0[0] })
  }

  /// Photos searched together do not change each other's captions, on any number of threads.
  @Test func imagesAreApart() {
    let (decoder, v) = tinyDecoder(words: 14, seed: 32)
    let options = BeamOptions(beamWidth: 4, captions: 4, maximumLength: 6, mutualInformation: 0.4)
    let together = search(decoder, v, options, on: Device(pool: ThreadPool(threads: 3)))
    #expect(together == search(decoder, v, options))
    for image in 0..<4 {
      expectSame(search(decoder, v.row(image).reshaped([1, 5]), options)[0], together[image])
    }
  }
}
