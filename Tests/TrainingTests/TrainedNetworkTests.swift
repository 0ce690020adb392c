import Imaging
import Layers
import Models
import Support
import TestSupport
import Tensors
import Testing

@testable import Training

@Suite struct TrainedNetworkTests {
  /// What reaches the averaged map, through its normalisation, and what reaches the regions goes on into the convolutions
  /// together.
  @Test(arguments: [nil, 2], [FeatureNormalizationName.none, .standardize, .whiten])
  func convolutionsLearnFromBoth(microBatch: Int?, normalization: FeatureNormalizationName) throws {
    try withTemporaryFolder { folder in
      let run = try TinyRun(in: folder, fineTuning: true)
      var encoder = try #require(
        VGGArchitecture(table: TinyNetwork.table, head: .compact, featureSize: 16))
      encoder.normalization = normalization
      if normalization == .whiten { encoder.whiteningComponents = 5 }
      (run.configuration.conditioning, run.configuration.regionSize) = (.attention, 5)
      var decoder = run.configuration.decoder(about: encoder)
      decoder.attention?.scale = 0.3
      let description = ModelDescription(
        encoder: encoder,
        preprocessing: try Preprocessing(
          width: 32, height: 32, resize: .stretch, channelOrder: .rgb, scale: .unit, mean: [0, 0, 0],
          standardDeviation: [1, 1, 1]),
        decoder: decoder, vocabulary: run.vocabulary)
      let cut = try #require(encoder.cut(before: "conv2_1"))
      var random = Random(seed: 3)
      var network = TrainedNetwork(
        CaptionNetwork(description) { $0.untrained(using: &random) }, description,
        convolutions: TrainableConvolutions(cut) { $0.untrained(using: &random) },
        mapShape: cut.mapShape(height: 32, width: 32), microBatch: microBatch)
      network.scale = 0.7
      network.captions.normalization.visitParameters {
        $0.value = Tensor(uniform: $0.value.shape, limit: 1, using: &random)
      }
      let features = Tensor(uniform: [3, 16 * 16 * 4], limit: 1, using: &random)
      let seen = network.seen(features, on: .cpu)
      let regions = try #require(seen.regions)
      #expect(regions.shape == [3, 64, 4] && seen.pooled.shape == [3, encoder.headInputs])
      let pooledSlopes = Tensor(uniform: seen.pooled.shape, limit: 1, using: &random)
      let regionSlopes = Tensor(uniform: regions.shape, limit: 1, using: &random)
      func loss(_ seen: TrainedNetwork.Seen) -> Double {
        func dot(_ a: Tensor, _ b: Tensor) -> Double {
          zip(a.scalars, b.scalars).reduce(0) { $0 + Double($1.0) * Double($1.1) }
        }
        return dot(seen.pooled, pooledSlopes) + dot(seen.regions ?? regions, regionSlopes)
      }
      network.backward(pooledSlopes, seen, regions: regionSlopes, on: .cpu)
      for parameter in try #require(network.convolutions).parameters {
        let error = gradientDisagreement(try #require(parameter.gradient), at: parameter.value, step: 0.002) {
          value in
          var moved = network
          moved.convolutions?.visitParameters { if $0.path == parameter.path { $0.value = value } }
          return loss(moved.seen(features, on: .cpu))
        }
        // Pools and ReLU have kinks.
        #expect(error < 5e-2, "\(parameter.path)")
      }
    }
  }
}
