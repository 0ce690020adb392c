public import Decoding
public import Kernels
public import Layers
public import Tensors

/// What kind of decoder, and its sizes, as a model file records them.
public struct DecoderDescription: Sendable, Equatable {
  /// V.
  public var vocabularySize: Int
  /// E.
  public var embeddingSize: Int
  /// H.
  public var hiddenSize: Int
  /// D.
  public var imageFeatureSize: Int
  /// Recurrent layers on top of each other.
  public var layers: Int
  /// Whether layers above the first pass on h + what they read.
  public var isResidual: Bool
  /// What its recurrent layers are made of.
  public var cell: CellName
  /// At which steps W_ih·v enters.
  public var injection: Injection

  /// A decoder's sizes, all at least 1. Those of vocabulary and image are a model's: its description fills them in.
  public init(
    vocabularySize: Int = 0, embeddingSize: Int, hiddenSize: Int, imageFeatureSize: Int = 0, layers: Int = 1,
    isResidual: Bool = false, cell: CellName = .lstm, injection: Injection = .everyStep
  ) {
    self.vocabularySize = vocabularySize
    self.embeddingSize = embeddingSize
    self.hiddenSize = hiddenSize
    self.imageFeatureSize = imageFeatureSize
    self.layers = layers
    self.isResidual = isResidual
    self.cell = cell
    self.injection = injection
  }

  /// The most recurrent layers.
  public static let mostLayers = 4

  /// The embedding size that the cell needs, which is not this one: H, where a gate reads the embedding itself; nil: any
  /// will do.
  public var neededEmbeddingSize: Int? {
    cell.cell.directInput != nil && embeddingSize != hiddenSize ? hiddenSize : nil
  }
}

/// The decoder of a description, its parameters from `source`: the only place where a name becomes a kind.
public func makeDecoder<E: Error>(
  _ description: DecoderDescription, from source: (ParameterSpecification) throws(E) -> Tensor
) throws(E) -> any SequenceDecoder {
  func make<Cell: RecurrentCell>(_ cell: Cell.Type) throws(E) -> any SequenceDecoder {
    try RecurrentDecoder<Cell, GateInjection>(
      description,
      conditioning: { (sums) throws(E) in
        try GateInjection(
          "decoder.image_to_hidden", features: description.imageFeatureSize, sums: sums,
          description.injection, from: source)
      }, from: source)
  }
  return try make(description.cell.cell)
}
