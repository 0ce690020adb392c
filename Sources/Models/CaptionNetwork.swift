public import Decoding
public import Layers
public import Tensors

/// Everything that training changes: the FC head of the encoder and the decoder.
public struct CaptionNetwork: Module {
  /// Pooled map [N, pooledSize] to v [N, D].
  public var head: FeatureHead
  /// v to captions.
  public var decoder: any SequenceDecoder

  /// A network of the description's sizes whose parameters come from `source`.
  public init<E: Error>(
    _ description: ModelDescription, from source: (ParameterSpecification) throws(E) -> Tensor
  ) throws(E) {
    let encoder = description.encoder
    head = try FeatureHead(
      inputs: encoder.pooledSize,
      widths: [Int](repeating: encoder.featureSize, count: encoder.head.layers), from: source)
    decoder = try makeDecoder(description.decoder, from: source)
  }

  /// Calls `visit` with each parameter of the head, then of the decoder.
  public mutating func visitParameters<E: Error>(_ visit: (inout Parameter) throws(E) -> Void) throws(E) {
    try head.visitParameters(visit)
    try decoder.visitParameters(visit)
  }
}
