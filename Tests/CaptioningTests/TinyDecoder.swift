import Language
import Layers
import Support
import Tensors
import TestSupport
import Testing

@testable import Captioning

/// A decoder with weights large enough that captions differ in length and images in their captions.
func tinyDecoder(words: Int, layers: Int = 1, injection: Injection = .everyStep, seed: UInt64 = 30) -> (
  CaptionDecoder, Tensor
) {
  var random = Random(seed: seed)
  var decoder = CaptionDecoder(
    CaptionDecoder.Configuration(
      vocabularySize: words, embeddingSize: 6, hiddenSize: 8, imageFeatureSize: 5, layers: layers,
      injection: injection)
  ) { $0.untrained(using: &random) }
  decoder.visitParameters { $0.value = Tensor(uniform: $0.value.shape, limit: 1.2, using: &random) }
  return (decoder, Tensor(uniform: [4, 5], limit: 2, using: &random))
}

func spoken(_ words: Int) -> [Int32] { Array(4..<Int32(words)) }

/// Every caption of at most `length` words, the likeliest first.
func allCaptions(_ decoder: CaptionDecoder, v: Tensor, words: Int, length: Int) -> [Hypothesis] {
  var (captions, longest): ([[Int32]], [[Int32]]) = ([[]], [[]])
  for _ in 0..<length {
    longest = longest.flatMap { caption in spoken(words).map { caption + [$0] } }
    captions += longest
  }
  let search = BeamSearch(decoder)
  return captions.map { search.score($0, v: v) }.sorted { $0.total > $1.total }
}

func expectSame(_ found: [Hypothesis], _ expected: [Hypothesis], _ note: String = "") {
  #expect(found.map(\.words) == expected.map(\.words), "\(note)")
  for (a, b) in zip(found, expected) {
    #expect(abs(a.logProb - b.logProb) < 1e-4)
    #expect(a.logProbs.count == a.words.count)
    #expect(zip(a.logProbs, b.logProbs).allSatisfy { abs($0 - $1) < 1e-4 })
  }
}
