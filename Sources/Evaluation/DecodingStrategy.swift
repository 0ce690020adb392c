public import Captioning
public import Language
public import Tensors

/// How captions are found.
public enum DecodingStrategy: Sendable {
  /// The likeliest are searched for.
  case beam(BeamSearch.Options)
  /// They are drawn at random.
  case sample(Sampling.Options)
}

extension Captioner {
  /// The captions of each image [N], best or likeliest first.
  /// - Parameters:
  ///   - pooled: [N, pooledSize].
  ///   - streams: what names each image's random numbers beside the seed, where captions are drawn.
  public func captions(
    _ pooled: Tensor, _ strategy: DecodingStrategy, streams: [UInt64]
  ) -> [[Caption]] {
    switch strategy {
    case .beam(let options): captions(pooled, options)
    case .sample(let options): sample(pooled, options, streams: streams)
    }
  }
}
