public import Kernels
public import Layers

/// How sequences are found: the likeliest, or drawn.
public enum DecodingStrategy: Sendable, Equatable {
  /// The likeliest, by beam search.
  case beam(BeamOptions)
  /// Drawn at random.
  case sample(SamplingOptions)
}

extension SequenceDecoder {
  /// What the decoder says of each image, the best or likeliest first.
  /// - Parameters:
  ///   - streams: for each image, what names its random numbers beside the seed, where they are drawn.
  ///   - cache: of this very decoder.
  public func decode(
    _ images: ImageFeatures, _ strategy: DecodingStrategy, streams: [UInt64],
    sharing cache: DecodingCache = DecodingCache(), on device: Device
  ) -> [[Hypothesis]] {
    switch strategy {
    case .beam(let options):
      BeamSearch(self, options, sharing: cache, on: device).search(images)
    case .sample(let options):
      Sampling(self, options, sharing: cache, on: device).sample(images, streams: streams)
    }
  }
}
