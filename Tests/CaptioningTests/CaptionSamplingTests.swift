import Foundation
import Kernels
import Language
import Layers
import Support
import Tensors
import TestSupport
import Testing

@testable import Captioning

private func decoder(seed: UInt64 = 30) -> (CaptionDecoder, Tensor) {
  var random = Random(seed: seed)
  var decoder = CaptionDecoder(
    CaptionDecoder.Configuration(vocabularySize: 7, embeddingSize: 6, hiddenSize: 8, imageFeatureSize: 5)
  ) { $0.untrained(using: &random) }
  decoder.visitParameters { $0.value = Tensor(uniform: $0.value.shape, limit: 1.2, using: &random) }
  return (decoder, Tensor(uniform: [3, 5], limit: 2, using: &random))
}

private func packed(_ sentences: [[Int32]]) -> PackedCaptions {
  PackedCaptions.packing(
    sentences, imageRows: sentences.indices.map { Int32($0 % 3) }, start: Vocabulary.start,
    end: Vocabulary.end
  ).captions
}

@Suite struct CaptionSamplingTests {
  /// Captions of at most one word, as often as their probability says.
  @Test func captionsComeAsOftenAsTheyAreLikely() {
    let (decoder, v) = decoder()
    var random = Random(seed: 1)
    let count = 4000
    let drawn = decoder.sampledCaptions(v: v, count: count, maximumLength: 1, using: &random)
    #expect(drawn.count == 3 * count)
    let search = BeamSearch(decoder)
    for image in 0..<3 {
      let row = v.row(image).reshaped([1, 5])
      // The end, and the three words that may be spoken.
      let likelihoods = [[]] + (4..<7).map { [Int32($0)] }
      let first = likelihoods.map { exp(Double(search.score($0, v: row).logProbs[0])) }
      let total = first.reduce(0, +)
      for (caption, likelihood) in zip(likelihoods, first) {
        let share = Double(drawn[image * count..<(image + 1) * count].count { $0 == caption }) / Double(count)
        let p = likelihood / total
        // Four standard deviations.
        #expect(abs(share - p) < 4 * (p * (1 - p) / Double(count)).squareRoot() + 1e-9, "\(caption)")
      }
    }
  }

  @Test func seedsDecide() {
    let (decoder, v) = decoder()
    func drawn(_ seed: UInt64) -> [[Int32]] {
      var random = Random(seed: seed)
      return decoder.sampledCaptions(v: v, count: 10, maximumLength: 6, using: &random)
    }
    #expect(drawn(1) == drawn(1) && drawn(1) != drawn(2))
    #expect(drawn(3).allSatisfy { $0.count <= 6 && $0.allSatisfy { $0 >= 4 } })
  }
}

@Suite struct ScheduledInputsTests {
  private let sentences: [[Int32]] = [[4, 5, 6, 4], [5, 5], [6], [], [4, 4, 4, 4, 6]]

  private func scheduled(
    _ replaced: (Int) -> Bool, rates: CaptionDecoder.DropoutRates = .init(embedding: 0, output: 0),
    seed: UInt64? = nil
  ) -> (before: PackedCaptions, after: PackedCaptions, decoder: CaptionDecoder, v: Tensor) {
    let (decoder, v) = decoder()
    let captions = packed(sentences)
    var random = seed.map { Random(seed: $0) }
    let after = decoder.scheduled(
      captions, v: v, replaced: (0..<captions.positions).map(replaced), dropout: rates, seed: 3,
      using: &random)
    return (captions, after, decoder, v)
  }

  @Test func nothingReplacedIsTeacherForcing() {
    let (before, after, _, _) = scheduled({ _ in false }, rates: .init())
    #expect(before == after)
  }

  /// Every word replaced by the likeliest: each caption reads what the decoder says after what it has read.
  @Test func likeliestWordsFollowFromEachOther() throws {
    let (before, after, decoder, v) = scheduled { _ in true }
    #expect(before.targets == after.targets && before.batchSizes == after.batchSizes)
    #expect(after.inputs != before.inputs)
    let search = BeamSearch(decoder)
    for caption in 0..<before.count {
      var read: [Int32] = []
      var position = 0
      for live in after.batchSizes.dropFirst() where caption < live {
        position += after.batchSizes[read.count]
        let row = v.row(Int(after.imageRows[caption])).reshaped([1, 5])
        let own = try #require(
          (4..<7).map { Int32($0) }.max {
            search.score(read + [$0], v: row).logProbs[read.count]
              < search.score(read + [$1], v: row).logProbs[read.count]
          })
        #expect(after.inputs[position + caption] == own)
        read.append(own)
      }
    }
  }

  /// The choice is made under the dropout of the training step: with the same seed it gives the same words.
  @Test func onlyChosenPositionsChange() {
    let (before, after, _, _) = scheduled({ $0 % 2 == 0 }, rates: .init(), seed: 9)
    for position in before.inputs.indices where position % 2 == 1 {
      #expect(before.inputs[position] == after.inputs[position])
    }
    #expect(after.inputs.prefix(before.count).allSatisfy { $0 == Vocabulary.start })
    #expect(scheduled({ $0 % 2 == 0 }, rates: .init(), seed: 9).after == after)
  }
}
