import Decoding
import Foundation
import Kernels
import Language
import Layers
import Support
import TestSupport
import Tensors
import Testing

@testable import Models

/// Attention that sees one region at a time, in training.
@Suite struct HardAttentionTests {
  private typealias Decoder = RecurrentDecoder<LSTM, SoftAttention>

  private static let captions = PackedSequences.packing(
    [[5, 6, 7, 8, 9], [4, 10, 11], [12, 4, 5], []], imageRows: [0, 1, 2, 0], start: Vocabulary.start,
    end: Vocabulary.end
  ).sequences

  /// A pass's log-probabilities, weights of attention and regions, and the decoder with its gradients.
  private struct Outcome {
    var logProbs: [Float]
    let weights: Tensor
    let regions: [Int32]?
    let decoder: Decoder

    init(
      _ decoder: Decoder, _ sequences: PackedSequences, about images: ImageFeatures,
      _ sampling: AttentionSampling?, weights positionWeights: [Float]? = nil
    ) {
      var (copy, trace) = (decoder, Decoder.Trace())
      logProbs = copy.trainingForward(
        sequences, about: images, TrainingPass(weights: positionWeights, attentionSampling: sampling),
        into: &trace, on: .cpu)
      weights = trace.conditioning.attention.weights(regions: images.regions?.shape[1] ?? 0)
      regions = trace.conditioning.attention.seenRegions
      _ = copy.backward(&trace, on: .cpu)
      self.decoder = copy
    }

    /// Σ ln p of each caption, at each of its positions.
    func captionLogProbs(_ sequences: PackedSequences) -> [Double] {
      var sums = [Double](repeating: 0, count: sequences.count)
      let captions = sequences.sequenceOfPosition
      for (position, caption) in captions.enumerated() { sums[caption] += Double(logProbs[position]) }
      return captions.map { sums[$0] }
    }
  }

  private static func decoder(gated: Bool = false, injection: Injection = .everyStep) throws -> Decoder {
    let way = ConditioningCase(
      name: "hard", conditioning: .hardAttention, injection: injection, gated: gated)
    return try #require(way.decoder() as? Decoder)
  }

  private static func parameters(_ decoder: Decoder, with value: Tensor, at path: String) -> Decoder {
    var moved = decoder
    moved.visitParameters { if $0.path == path { $0.value = value } }
    return moved
  }

  /// With the regions as they were drawn, and what they were worth a number, the gradient is the slope of
  /// −Σ w (ln p + λ_r (ln p(y) − b) ln α_s) − λ_e mean H.
  @Test(arguments: [false, true], [false, true]) func gradientsAreSlopes(gated: Bool, weighted: Bool) throws {
    let decoder = try Self.decoder(gated: gated, injection: gated ? .never : .everyStep)
    let (captions, images) = (Self.captions, ConditioningCase.images())
    let positions = captions.positions
    // As self-critical training has them.
    let weights = weighted ? captions.sequenceOfPosition.map { [0.3, -0.2, 0.1, 0.05][$0] as Float } : nil
    let (baseline, reward, entropy) = (-9.0, 0.4, 0.7)
    var sampling = AttentionSampling(
      .drawn(seed: 8, share: 1), baseline: Float(baseline), rewardWeight: Float(reward),
      entropyWeight: Float(entropy))
    var regions = try #require(Outcome(decoder, captions, about: images, sampling).regions)
    #expect(Set(regions).count > 3)
    // One caption sees the means.
    for (position, caption) in captions.sequenceOfPosition.enumerated() where caption == 1 {
      regions[position] = -1
    }
    sampling.locations = .given(regions)
    let drawn = Outcome(decoder, captions, about: images, sampling, weights: weights)
    let worth = drawn.captionLogProbs(captions)
    func loss(_ decoder: Decoder) -> Double {
      let found = Outcome(decoder, captions, about: images, sampling, weights: weights)
      var loss = 0.0
      for position in 0..<positions {
        let weight = weights.map { Double($0[position]) } ?? 1 / Double(positions)
        let alphas = found.weights.row(position).scalars.map(Double.init)
        loss -= weight * Double(found.logProbs[position])
        if regions[position] >= 0 {
          loss -= weight * reward * (worth[position] - baseline) * log(alphas[Int(regions[position])])
        }
        loss += entropy / Double(positions) * alphas.reduce(0) { $0 + $1 * log($1) }
      }
      return loss
    }
    for parameter in drawn.decoder.parameters {
      let error = gradientDisagreement(try #require(parameter.gradient), at: parameter.value) {
        loss(Self.parameters(decoder, with: $0, at: parameter.path))
      }
      #expect(error < 2e-2, "\(parameter.path)")
    }
  }

  /// Over all ways in which regions may be drawn, the gradients' mean is the slope of the mean log-probability, whatever
  /// they are measured by.
  @Test(arguments: [0, -7] as [Float]) func theEstimateIsUnbiased(baseline: Float) throws {
    let decoder = try Self.decoder(gated: true)
    var random = Random(seed: 42)
    let images = ImageFeatures(
      v: Tensor(uniform: [1, 11], limit: 1, using: &random),
      regions: Tensor(uniform: [1, 3, 6], limit: 1, using: &random))
    let (caption, _) = PackedSequences.packing(
      [[5]], imageRows: [0], start: Vocabulary.start, end: Vocabulary.end)
    func all(_ decoder: Decoder) -> [(probability: Double, outcome: Outcome)] {
      (0..<9).map { draw in
        let regions = [Int32(draw / 3), Int32(draw % 3)]
        let outcome = Outcome(
          decoder, caption, about: images, AttentionSampling(.given(regions), baseline: baseline))
        let probability = regions.enumerated().reduce(1.0) {
          $0 * Double(outcome.weights.row($1.offset).scalars[Int($1.element)])
        }
        return (probability, outcome)
      }
    }
    let outcomes = all(decoder)
    #expect(abs(outcomes.reduce(0) { $0 + $1.probability } - 1) < 1e-5)
    for (index, parameter) in decoder.parameters.enumerated() {
      var mean = [Double](repeating: 0, count: parameter.value.count)
      for (probability, outcome) in outcomes {
        let gradient = try #require(outcome.decoder.parameters[index].gradient).scalars
        for place in mean.indices { mean[place] += probability * Double(gradient[place]) }
      }
      let estimate = Tensor(mean.map { Float($0) }, parameter.value.shape)
      let error = gradientDisagreement(estimate, at: parameter.value, step: 0.1) { value in
        let moved = Self.parameters(decoder, with: value, at: parameter.path)
        return -all(moved).reduce(0) { $0 + $1.probability * $1.outcome.captionLogProbs(caption)[0] } / 2
      }
      #expect(error < 2e-2, "\(parameter.path)")
    }
  }

  /// A share of 0 is soft attention; of 1 every word sees one region, as often as its weight says.
  @Test func regionsAreDrawnByTheirWeights() throws {
    let decoder = try Self.decoder()
    let images = ConditioningCase.images()
    let soft = Outcome(decoder, Self.captions, about: images, nil)
    let none = Outcome(decoder, Self.captions, about: images, .init(.drawn(seed: 1, share: 0), baseline: 0))
    #expect(soft.regions == nil && none.regions?.allSatisfy { $0 == -1 } == true)
    #expect(none.logProbs == soft.logProbs)
    var counts = [Double](repeating: 0, count: 5)
    let draws = 2000
    let (caption, _) = PackedSequences.packing(
      [[]], imageRows: [0], start: Vocabulary.start, end: Vocabulary.end)
    var weights: [Float] = []
    for seed in 0..<draws {
      let outcome = Outcome(
        decoder, caption, about: images, .init(.drawn(seed: UInt64(seed), share: 1), baseline: 0))
      weights = outcome.weights.row(0).scalars
      counts[Int(try #require(outcome.regions)[0])] += 1
    }
    #expect(Set(weights).count == 5)
    for (count, weight) in zip(counts, weights) {
      let expected = Double(draws) * Double(weight)
      #expect(abs(count - expected) < 5 * expected.squareRoot())
    }
  }

  /// The coin falls for a caption as a whole, and a seed names the draws.
  @Test func captionsAreDrawnAsAWhole() throws {
    let decoder = try Self.decoder()
    let images = ConditioningCase.images()
    func regions(_ seed: UInt64) throws -> [Int32] {
      let outcome = Outcome(
        decoder, Self.captions, about: images, .init(.drawn(seed: seed, share: 0.5), baseline: 0))
      return try #require(outcome.regions)
    }
    var drawnCaptions = 0
    for seed in 0..<50 as Range<UInt64> {
      let found = try regions(seed)
      let captions = Self.captions.sequenceOfPosition
      for caption in 0..<Self.captions.count {
        let own = zip(found, captions).filter { $1 == caption }.map { $0.0 >= 0 }
        #expect(Set(own).count == 1)
        if own[0] { drawnCaptions += 1 }
      }
      #expect(try regions(seed) == found)
    }
    #expect((70...130).contains(drawnCaptions))
  }
}
