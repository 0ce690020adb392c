import Foundation
import Kernels
import Language
import Layers
import Support
import Tensors
import TestSupport
import Testing

@testable import Decoding

private func packed(_ sentences: [[Int32]]) -> PackedSequences {
  PackedSequences.packing(
    sentences, imageRows: sentences.indices.map { Int32($0 % 3) }, start: Vocabulary.start,
    end: Vocabulary.end
  ).sequences
}

@Suite struct OwnTokensTests {
  private let sentences: [[Int32]] = [[4, 5, 6, 4], [5, 5], [6], [], [4, 4, 4, 4, 6]]

  private func scheduled(
    _ replaced: (Int) -> Bool, rates: DropoutPass.Rates = .none,
    seed: UInt64? = nil
  ) -> (before: PackedSequences, after: PackedSequences, decoder: any SequenceDecoder, v: Tensor) {
    let (decoder, v) = tinyDecoder(words: 7)
    let captions = packed(sentences)
    let uniforms = seed.map { seed in
      var random = Random(seed: seed)
      return (0..<captions.positions).map { _ in Double(random.uniform()) }
    }
    let after = decoder.readingOwnTokens(
      captions, about: ImageFeatures(v: v), where: (0..<captions.positions).map(replaced),
      DropoutPass(rates, seed: 3), drawing: uniforms, on: .cpu)
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
    for caption in 0..<before.count {
      var read: [Int32] = []
      var position = 0
      for live in after.batchSizes.dropFirst() where caption < live {
        position += after.batchSizes[read.count]
        let row = v.row(Int(after.imageRows[caption])).reshaped([1, 5])
        let own = try #require(
          (4..<7).map { Int32($0) }.max {
            score(decoder, read + [$0], row).logProbs[read.count]
              < score(decoder, read + [$1], row).logProbs[read.count]
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
    #expect(Array(after.inputs.prefix(before.count)) == Array(repeating: Vocabulary.start, count: 5))
    #expect(after.inputs != before.inputs)
    #expect(scheduled({ $0 % 2 == 0 }, rates: .init(), seed: 9).after == after)
  }
}
