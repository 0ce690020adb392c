import Models
import Kernels
import Language
import Layers
import Support
import Tensors
import TestSupport
import Testing

@testable import Decoding

/// A decoder with weights large enough that captions differ in length and images in their captions; and features of four
/// images.
func tinyDecoder(
  words: Int, layers: Int = 1, cell: CellName = .lstm, injection: Injection = .everyStep, seed: UInt64 = 30
) -> (any SequenceDecoder, Tensor) {
  var random = Random(seed: seed)
  var decoder = makeDecoder(
    DecoderDescription(
      vocabularySize: words, embeddingSize: cell.cell.directInput == nil ? 6 : 8, hiddenSize: 8,
      imageFeatureSize: 5, layers: layers, cell: cell,
      injection: injection)
  ) { $0.untrained(using: &random) }
  decoder.visitParameters { $0.value = Tensor(uniform: $0.value.shape, limit: 1.2, using: &random) }
  return (decoder, Tensor(uniform: [4, 5], limit: 2, using: &random))
}

extension SequenceDecoder {
  /// The same with other biases of the projection.
  func withOutputBias(_ bias: Tensor) -> Self {
    var copy = self
    copy.visitParameters { if $0.path == "decoder.output.bias" { $0.value = bias } }
    return copy
  }
}

func search(
  _ decoder: any SequenceDecoder, _ v: Tensor, _ options: BeamOptions = BeamOptions(),
  on device: Device = .cpu
) -> [[Hypothesis]] {
  decoder.decode(ImageFeatures(v: v), .beam(options), streams: [], on: device)
}

func draw(
  _ decoder: any SequenceDecoder, _ v: Tensor, _ options: SamplingOptions = SamplingOptions(),
  streams: [UInt64], on device: Device = .cpu
) -> [[Hypothesis]] {
  decoder.decode(ImageFeatures(v: v), .sample(options), streams: streams, on: device)
}

/// A given caption of one image, v [1, D], word by word.
func score(_ decoder: any SequenceDecoder, _ words: [Int32], _ v: Tensor) -> Hypothesis {
  let (sequences, _) = PackedSequences.packing(
    [words], imageRows: [0], start: Vocabulary.start, end: Vocabulary.end)
  let scores = TeacherForcedScores(decoder, sequences, about: ImageFeatures(v: v), on: .cpu)
  return zip(sequences.targets, scores.logProbs).reduce(Hypothesis()) { $0.extended(by: $1.0, $1.1) }
}

func spoken(_ words: Int) -> [Int32] { Array(4..<Int32(words)) }

/// Every caption of at most `length` words, the likeliest first.
func allCaptions(_ decoder: any SequenceDecoder, v: Tensor, words: Int, length: Int) -> [Hypothesis] {
  var captions: [[Int32]] = [[]]
  var longest: [[Int32]] = [[]]
  for _ in 0..<length {
    longest = longest.flatMap { caption in spoken(words).map { caption + [$0] } }
    captions += longest
  }
  return captions.map { score(decoder, $0, v) }.sorted { $0.total > $1.total }
}

func expectSame(_ found: [Hypothesis], _ expected: [Hypothesis], _ note: String = "") {
  #expect(!expected.isEmpty && found.map(\.words) == expected.map(\.words), "\(note)")
  for (a, b) in zip(found, expected) {
    #expect(abs(a.logProb - b.logProb) < 1e-4)
    #expect(a.logProbs.count == a.words.count)
    #expect(absoluteError(a.logProbs, b.logProbs) < 1e-4)
  }
}
