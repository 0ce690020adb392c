import Decoding
import Kernels
import Language
import Layers
import TestSupport
import Tensors
import Testing

@testable import Models

/// A memory that makes of words what an image of them would look like.
@Suite struct VisualMemoryTests {
  private typealias Decoder = VisualMemoryDecoder<LSTM>

  private static let captions = PackedSequences.packing(
    [[5, 6, 7, 8, 9], [4, 10, 11], [12, 4, 5], []], imageRows: [0, 1, 2, 0], start: Vocabulary.start,
    end: Vocabulary.end
  ).sequences

  private static func decoder() throws -> Decoder {
    try #require(
      ConditioningCase(name: "memory", conditioning: .visualMemory).decoder() as? Decoder)
  }

  /// The loss of words and the reconstruction's error, and the trace that they leave.
  private static func losses(
    _ decoder: inout Decoder, about images: ImageFeatures, dropout: Float = 0, weight: Float = 0.6
  ) -> (words: Double, error: Double, trace: Decoder.Trace) {
    var trace = Decoder.Trace()
    let rates = DropoutPass.Rates(embedding: dropout, output: dropout)
    let logProbs = decoder.trainingForward(
      captions, about: images,
      TrainingPass(dropout: DropoutPass(rates, seed: 5), reconstructionWeight: weight), into: &trace, on: .cpu
    )
    let words = -logProbs.reduce(0.0) { $0 + Double($1) } / Double(logProbs.count)
    return (words, trace.reconstructionError, trace)
  }

  /// Of words and reconstruction together.
  @Test(arguments: [0, 0.5] as [Float]) func gradientsAreSlopes(dropout: Float) throws {
    var decoder = try Self.decoder()
    let images = ConditioningCase.images()
    var trace = Self.losses(&decoder, about: images, dropout: dropout).trace
    _ = decoder.backward(&trace, on: .cpu)
    for parameter in decoder.parameters {
      let error = gradientDisagreement(try #require(parameter.gradient), at: parameter.value) { value in
        var moved = decoder
        moved.visitParameters { if $0.path == parameter.path { $0.value = value } }
        let losses = Self.losses(&moved, about: images, dropout: dropout)
        return losses.words + 0.6 * losses.error
      }
      #expect(error < 2e-2, "\(parameter.path)")
    }
  }

  /// v is learned through what is said alone: a head could make the error small by making v small.
  @Test func theImageIsNotMovedTowardsItsReconstruction() throws {
    let images = ConditioningCase.images()
    func gradient(_ weight: Float) throws -> Tensor {
      var decoder = try Self.decoder()
      var trace = Self.losses(&decoder, about: images, weight: weight).trace
      return decoder.backward(&trace, on: .cpu).v
    }
    #expect(try gradient(0) == gradient(5))
    var decoder = try Self.decoder()
    let error = gradientDisagreement(try gradient(5), at: images.v) {
      Self.losses(&decoder, about: ImageFeatures(v: $0)).words
    }
    #expect(error < 2e-3)
  }

  /// The memory reads words alone, so that what it makes of them is the same whatever the image.
  @Test func theMemoryDoesNotSeeTheImage() throws {
    var decoder = try Self.decoder()
    let images = ConditioningCase.images()
    let other = ImageFeatures(v: Tensor(zeros: images.v.shape))
    let size = Self.captions.positions * 6
    func memory(_ images: ImageFeatures) -> [Float] {
      let trace = Self.losses(&decoder, about: images).trace
      return Array(UnsafeBufferPointer(start: trace.memory.hiddenStates, count: size))
    }
    #expect(memory(images) == memory(other))
    #expect(Self.losses(&decoder, about: images).words != Self.losses(&decoder, about: other).words)
  }

  /// Steps along the gradient make the reconstruction better.
  @Test func theMemoryLearnsWhatImagesLookLike() throws {
    var decoder = try Self.decoder()
    let images = ConditioningCase.images()
    let first = Self.losses(&decoder, about: images, weight: 5).error
    var optimizer = Optimizer(.adam(), learningRate: 0.02)
    for _ in 0..<150 {
      var trace = Self.losses(&decoder, about: images, weight: 5).trace
      _ = decoder.backward(&trace, on: .cpu)
      _ = optimizer.update(&decoder, clipNorm: nil, on: .cpu)
    }
    #expect(Self.losses(&decoder, about: images).error < first / 4)
  }
}
