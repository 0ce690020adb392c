import Decoding
import Kernels
import Language
import Layers
import Models
import Support

/// A language model of characters: a recurrent decoder without an image.
struct CharacterModel {
  let vocabulary: Vocabulary
  var decoder: RecurrentDecoder<GRU, Unconditioned>
  private var trace = DecoderTrace()
  private var adam = Optimizer(.adam(), learningRate: 0.01)

  init(_ lines: [String], hidden: Int = 64, seed: UInt64 = 1) {
    var counts: [String: Int] = [:]
    for token in lines.flatMap(Self.tokens) { counts[token, default: 0] += 1 }
    vocabulary = Vocabulary(counts: counts, minimumCount: 1)
    var random = Random(seed: seed)
    decoder = RecurrentDecoder(
      DecoderDescription(
        vocabularySize: vocabulary.count, embeddingSize: 24, hiddenSize: hidden, imageFeatureSize: 0),
      conditioning: { _ in Unconditioned() }, from: { $0.untrained(using: &random) })
  }

  /// Its characters; words of a vocabulary hold no spaces.
  private static func tokens(_ line: String) -> [String] { line.map { $0 == " " ? "▁" : String($0) } }

  private func packed(_ lines: [String]) -> PackedSequences {
    PackedSequences.packing(
      lines.map { vocabulary.encode(Self.tokens($0)) }, imageRows: lines.map { _ in 0 },
      start: Vocabulary.start, end: Vocabulary.end
    ).sequences
  }

  /// One step of training; the loss in nats a character.
  mutating func learn(_ lines: [String]) -> Double {
    let sequences = packed(lines)
    let logProbs = decoder.trainingForward(
      sequences, about: ImageFeatures(unseen: 1), TrainingPass(), into: &trace, on: .cpu)
    _ = decoder.backward(&trace, on: .cpu)
    adam.update(&decoder, clipNorm: 5, on: .cpu)
    return -logProbs.reduce(0) { $0 + Double($1) } / Double(logProbs.count)
  }

  /// Nats a character of lines that it need not have seen.
  func loss(of lines: [String]) -> Double {
    let scores = TeacherForcedScores(
      decoder, packed(lines), about: ImageFeatures(unseen: 1), on: .cpu)
    return -scores.logProbs.reduce(0) { $0 + Double($1) } / Double(scores.logProbs.count)
  }

  /// Lines drawn from the model.
  func lines(_ count: Int, temperature: Double = 0.7, seed: UInt64 = 1) -> [String] {
    let options = SamplingOptions(
      captions: count, ClassSampling(temperature: temperature), seed: seed, maximumLength: 80)
    return decoder.decode(ImageFeatures(unseen: 1), .sample(options), streams: [0], on: .cpu)[0].map {
      $0.words.dropLast().map { vocabulary.word(for: $0) }.joined().replacing("▁", with: " ")
    }
  }
}
