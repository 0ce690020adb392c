public import Decoding
public import Kernels
public import Layers
public import Tensors

/// The multimodal recurrent network (m-RNN, Mao et al. 2015): the recurrent layers read words alone; word, state and image
/// meet in a layer outside of the recurrence, of which the next word is predicted.
///
///     xₜ = dropout(W_e[tokenₜ])
///     hₜ = Cell(xₜ, hₜ₋₁), of one layer or several
///     mₜ = g(V_w xₜ + V_r hₜ + V_I v + b)
///     log p(tokenₜ₊₁) = log softmax(W_out dropout(mₜ) + b_out)
///
/// The paper embeds a word in two layers and adds the second to the recurrent sums as it is: here W_e is the first, and W_xh
/// and V_w, which the cells have anyway, stand for the second.
public struct MultimodalDecoder<Cell: RecurrentCell>: SequenceDecoder {
  /// W_e [V, E]: `decoder.embedding.weight`.
  public var embedding: Embedding
  /// `decoder.CELL`…, as `RecurrentDecoder` has it.
  public var stack: RecurrentStack<Cell>
  /// `decoder.word_to_multimodal` [M, E], `decoder.hidden_to_multimodal` [M, H], `decoder.image_to_multimodal` [M, D].
  public var multimodal: MultimodalLayer
  /// `decoder.output.weight` [V, M], `.bias` [V].
  public var output: SoftmaxProjection

  /// A decoder with a multimodal layer of `size` units (M) whose parameters come from `source`.
  public init<E: Error>(
    _ sizes: DecoderDescription, size: Int, from source: (ParameterSpecification) throws(E) -> Tensor
  ) throws(E) {
    embedding = try Embedding(
      "decoder.embedding", vocabularySize: sizes.vocabularySize, size: sizes.embeddingSize, from: source)
    stack = try RecurrentStack(
      "decoder.\(Cell.name)", inputs: sizes.embeddingSize, hidden: sizes.hiddenSize, layers: sizes.layers,
      isResidual: sizes.isResidual, from: source)
    multimodal = try MultimodalLayer(
      "decoder",
      .init(
        word: sizes.embeddingSize, state: sizes.hiddenSize, image: sizes.imageFeatureSize, outputs: size),
      from: source)
    output = try SoftmaxProjection(
      "decoder.output", hidden: size, vocabularySize: sizes.vocabularySize, from: source)
  }

  /// Calls `visit` with each parameter in order.
  public mutating func visitParameters<E: Error>(_ visit: (inout Parameter) throws(E) -> Void) throws(E) {
    try embedding.visitParameters(visit)
    try stack.visitParameters(visit)
    try multimodal.visitParameters(visit)
    try output.visitParameters(visit)
  }

  /// V.
  public var vocabularySize: Int { embedding.vocabularySize }

  /// What a training step keeps between forward and backward, and its memory between batches.
  public struct Trace: ReusableTrace {
    var stack = RecurrentStack<Cell>.Trace()
    var multimodal = MultimodalLayer.Trace()
    var output = SoftmaxProjection.Trace()
    // [P, E], [P, M], and gradients [P, M], [P, H], [P, E].
    var embedded = Buffer()
    var joined = Buffer()
    var joinedGradients = Buffer()
    var hiddenGradients = Buffer()
    var embeddedGradients = Buffer()
    var batch: Batch?

    struct Batch: Sendable {
      let sequences: PackedSequences
      let images: ImageFeatures
      let dropout: Dropout
    }

    /// Nothing traced yet.
    public init() {}
  }

  /// As `SequenceDecoder` says.
  public mutating func trainingForward(
    _ sequences: PackedSequences, about images: ImageFeatures, _ pass: TrainingPass, into trace: inout Trace,
    on device: Device
  ) -> [Float] {
    let masks = masks(pass.dropout)
    let positions = sequences.positions
    sequences.requireTokens(below: vocabularySize, images: images.count)
    let x = trace.embedded.reserve(positions, embedding.size)
    embedding.forward(sequences.inputs, into: x, on: device)
    masks.embedding.apply(Matrix(x), into: x, on: device)
    stack.forward(sequences, Matrix(x), dropout: masks.between, into: &trace.stack, on: device)
    let m = trace.joined.reserve(positions, multimodal.outputs)
    let context = multimodal.context(of: images, on: device)
    let h = Matrix(trace.stack.hiddenStates, rows: positions, columns: stack.hidden)
    sequences.imageOfPosition.withUnsafeBufferPointer {
      multimodal.forward(Matrix(x), h, images: $0, context, into: m, on: device)
    }
    trace.batch = .init(sequences: sequences, images: images, dropout: masks.embedding)
    return output.forwardBackward(
      Matrix(m), targets: sequences.targets, dropout: masks.output, gradient: pass.gradient(of: positions),
      dh: trace.joinedGradients.reserve(positions, multimodal.outputs), trace: &trace.output, on: device)
  }

  /// As `SequenceDecoder` says.
  public mutating func backward(_ trace: inout Trace, on device: Device) -> ImageFeatures {
    guard let batch = trace.batch else {
      preconditionFailure("backward without a trainingForward before it")
    }
    trace.batch = nil
    let sequences = batch.sequences
    let positions = sequences.positions
    let x = Matrix(trace.embedded.reserve(positions, embedding.size))
    let sums = trace.joinedGradients.reserve(positions, multimodal.outputs)
    let dh = trace.hiddenGradients.reserve(positions, stack.hidden)
    let dv = multimodal.backward(
      of: batch.images, at: sequences.imageOfPosition,
      (x, Matrix(trace.stack.hiddenStates, rows: positions, columns: stack.hidden)),
      Matrix(trace.joined.reserve(positions, multimodal.outputs)), gradients: (sums, dh),
      trace: &trace.multimodal, on: device)
    let dx = trace.embeddedGradients.reserve(positions, embedding.size)
    stack.backward(sequences, x, dh: dh, dx: dx, trace: &trace.stack, on: device)
    multimodal.addWordGradient(Matrix(sums), to: dx, on: device)
    batch.dropout.apply(Matrix(dx), into: dx, on: device)
    embedding.backward(sequences.inputs, Matrix(dx), on: device)
    return ImageFeatures(v: dv)
  }

  func masks(_ pass: DropoutPass) -> DecoderMasks { DecoderMasks(pass, layers: stack.layers.count) }

  /// As `SequenceDecoder` says.
  public func session(
    for images: ImageFeatures, sharing cache: DecodingCache, dropout: DropoutPass?, on device: Device
  ) -> MultimodalSession<Cell> {
    MultimodalSession(self, images, sharing: cache, dropout: dropout, on: device)
  }
}
