public import Decoding
public import Layers
public import Tensors

/// Everything that training changes: the FC head of the encoder and the decoder, with the normalisation of what the head
/// reads.
public struct CaptionNetwork: Module {
  /// Pooled map [N, pooledSize] to the head's input [N, headInputs].
  public var normalization: FeatureNormalization
  /// That to v [N, D].
  public var head: FeatureHead
  /// v to captions.
  public var decoder: any SequenceDecoder

  /// A network of the description's sizes whose parameters come from `source`.
  public init<E: Error>(
    _ description: ModelDescription, from source: (ParameterSpecification) throws(E) -> Tensor
  ) throws(E) {
    normalization = try FeatureNormalization(description.encoder, from: source)
    head = try FeatureHead(description.encoder, from: source)
    decoder = try makeDecoder(description.decoder, from: source)
  }

  /// Calls `visit` with each statistic of the normalisation, then each parameter of the head and of the decoder.
  public mutating func visitParameters<E: Error>(_ visit: (inout Parameter) throws(E) -> Void) throws(E) {
    try normalization.visitParameters(visit)
    try head.visitParameters(visit)
    try decoder.visitParameters(visit)
  }
}
