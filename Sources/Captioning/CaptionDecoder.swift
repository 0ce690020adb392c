public import Kernels
public import Layers
internal import Support
public import Tensors

/// The language model that says what an image shows:
///
///     xₜ = dropout(W_e[wordₜ])
///     hₜ = LSTM(xₜ, hₜ₋₁, W_ih v), of one layer or several
///     log p(wordₜ₊₁) = log softmax(W_out dropout(hₜ) + b_out)
///
/// with v the image's features; W_ih v enters the lowest layer, at every step or at the first only (`Injection`).
public struct CaptionDecoder: Module {
  /// The sizes, as a model file records them.
  public struct Configuration: Codable, Sendable, Equatable {
    /// V.
    public var vocabularySize: Int
    /// E.
    public var embeddingSize: Int
    /// H.
    public var hiddenSize: Int
    /// D.
    public var imageFeatureSize: Int
    /// LSTMs on top of each other.
    public var layers: Int
    /// At which steps the image enters.
    public var injection: Injection

    /// All sizes are at least 1.
    public init(
      vocabularySize: Int, embeddingSize: Int, hiddenSize: Int, imageFeatureSize: Int,
      layers: Int = 1, injection: Injection = .everyStep
    ) {
      (self.vocabularySize, self.embeddingSize) = (vocabularySize, embeddingSize)
      (self.hiddenSize, self.imageFeatureSize) = (hiddenSize, imageFeatureSize)
      (self.layers, self.injection) = (layers, injection)
    }
  }

  /// The sizes.
  public let configuration: Configuration
  /// W_e [V, E]: `decoder.embedding.weight`.
  public var embedding: Embedding
  /// `decoder.lstm.weight_xh` [4H, E], `.weight_hh` [4H, H], `.bias` [4H]; of the next layers `decoder.lstm1`…, whose
  /// `.weight_xh` is [4H, H].
  public var lstm: LSTMStack
  /// W_ih [4H, D]: `decoder.image_to_hidden.weight`.
  public var imageToHidden: Linear
  /// `decoder.output.weight` [V, H], `.bias` [V].
  public var output: SoftmaxProjection

  /// A decoder whose parameters come from `source`: a model file, or `{ $0.untrained(using: &random) }`.
  public init<E: Error>(
    _ configuration: Configuration, from source: (ParameterSpecification) throws(E) -> Tensor
  ) throws(E) {
    self.configuration = configuration
    let (words, hidden) = (configuration.vocabularySize, configuration.hiddenSize)
    let size = configuration.embeddingSize
    embedding = try Embedding("decoder.embedding", vocabularySize: words, size: size, from: source)
    lstm = try LSTMStack(
      "decoder.lstm", inputs: size, hidden: hidden, layers: configuration.layers, from: source)
    imageToHidden = try Linear(
      "decoder.image_to_hidden", inputs: configuration.imageFeatureSize, outputs: 4 * hidden, bias: false,
      gain: 0.5, from: source)
    output = try SoftmaxProjection("decoder.output", hidden: hidden, vocabularySize: words, from: source)
  }

  /// Calls `visit` with each parameter in order.
  public mutating func visitParameters<E: Error>(_ visit: (inout Parameter) throws(E) -> Void) throws(E) {
    try embedding.visitParameters(visit)
    try lstm.visitParameters(visit)
    try imageToHidden.visitParameters(visit)
    try output.visitParameters(visit)
  }

  /// What dropout does in one training step.
  public struct DropoutRates: Sendable, Equatable {
    /// Of the embedded words, of h before the projection, and of h between layers.
    public var embedding, output, layers: Float

    /// Rates in 0..<1.
    public init(embedding: Float = 0.5, output: Float = 0.5, layers: Float = 0) {
      (self.embedding, self.output, self.layers) = (embedding, output, layers)
    }
  }

  /// What a training step keeps between forward and backward, and its memory between batches.
  public struct Trace: Sendable {
    var lstm = LSTMStack.Trace()
    var output = SoftmaxProjection.Trace()
    var (embedded, injected, hiddenGradients) = (Buffer(), Buffer(), Buffer())
    var (embeddedGradients, injectedGradients) = (Buffer(), Buffer())
    var batch: (captions: PackedCaptions, v: Tensor, dropout: Dropout)?

    /// Nothing traced yet.
    public init() {}
  }

  /// log p of the target of each position [P], natural logarithms, without dropout.
  /// - Parameter v: image features [N, D]; the captions' `imageRows` are below N.
  public func forward(
    _ captions: PackedCaptions, v: Tensor, into trace: inout Trace, pool: ThreadPool = .shared
  ) -> [Float] {
    runLSTM(captions, v: v, dropout: Masks(), into: &trace, pool)
    return output.forward(
      trace.lstm.hiddenStates, targets: captions.targets, trace: &trace.output, pool: pool)
  }

  /// The same under dropout, for a training step: also takes the gradients of the projection, whose logits are not
  /// kept. The loss is −mean of the result: each live position weighs 1/P, or as `weights` [P] say. `seed` names the
  /// dropout masks. The gradients, not the result, are those of targets smoothed by `labelSmoothing`.
  public mutating func trainingForward(
    _ captions: PackedCaptions, v: Tensor, dropout: DropoutRates, labelSmoothing: Float = 0,
    weights: [Float]? = nil, seed: UInt64, into trace: inout Trace,
    pool: ThreadPool = .shared
  ) -> [Float] {
    let masks = masks(dropout, seed: seed)
    runLSTM(captions, v: v, dropout: masks, into: &trace, pool)
    trace.batch = (captions, v, masks.embedding)
    return output.forwardBackward(
      trace.lstm.hiddenStates, targets: captions.targets, dropout: masks.output,
      labelSmoothing: labelSmoothing,
      scale: weights == nil ? 1 / Float(max(1, captions.positions)) : 1, weights: weights,
      dh: trace.hiddenGradients.reserve(captions.positions * configuration.hiddenSize), trace: &trace.output,
      pool: pool)
  }

  /// The masks of a training step; `between` layers there are none where nothing is dropped.
  struct Masks {
    var (embedding, output) = (Dropout.none, Dropout.none)
    var between: [Dropout] = []
  }

  func masks(_ rates: DropoutRates, seed: UInt64) -> Masks {
    var random = Random(seed: seed)
    func mask(_ rate: Float) -> Dropout { Dropout(rate: rate, seed: random.next()) }
    var masks = Masks()
    (masks.embedding, masks.output) = (mask(rates.embedding), mask(rates.output))
    if rates.layers > 0 { masks.between = (1..<configuration.layers).map { _ in mask(rates.layers) } }
    return masks
  }

  /// Writes the gradient of every parameter for the last `trainingForward` on this trace.
  /// - Returns: the gradient of v [N, D].
  public mutating func backward(_ trace: inout Trace, pool: ThreadPool = .shared) -> Tensor {
    guard let (captions, v, dropout) = trace.batch else {
      preconditionFailure("backward without a trainingForward before it")
    }
    trace.batch = nil
    let (positions, size, images) = (captions.positions, configuration.embeddingSize, v.shape[0])
    let dx = trace.embeddedGradients.reserve(positions * size)
    let dInjected = trace.injectedGradients.reserve(images * 4 * configuration.hiddenSize)
    lstm.backward(
      captions, trace.embedded.pointer,
      dh: trace.hiddenGradients.reserve(positions * configuration.hiddenSize), dx: dx, dInjected: dInjected,
      images: images, injection: configuration.injection, trace: &trace.lstm, pool: pool)
    dropout.apply(rows: positions, columns: size, dx, into: dx, pool: pool)
    captions.inputs.withUnsafeBufferPointer { words in
      guard let words = words.baseAddress else { return }
      embedding.backward(rows: positions, words, dx, pool: pool)
    }
    var dv = Tensor(uninitialized: v.shape)
    imageToHidden.backward(rows: images, v.pointer, dInjected, into: dv.mutablePointer(), pool: pool)
    return withExtendedLifetime(v) { dv }
  }

  func runLSTM(
    _ captions: PackedCaptions, v: Tensor, dropout: Masks, into trace: inout Trace, _ pool: ThreadPool
  ) {
    let (positions, size) = (captions.positions, configuration.embeddingSize)
    precondition(v.shape.rank == 2 && v.shape[1] == configuration.imageFeatureSize, "v is \(v.shape)")
    precondition(captions.imageRows.allSatisfy { $0 < v.shape[0] }, "an image row beyond \(v.shape[0])")
    precondition(
      (captions.inputs + captions.targets).allSatisfy { $0 >= 0 && $0 < configuration.vocabularySize },
      "a word beyond the vocabulary of \(configuration.vocabularySize)")
    let embedded = trace.embedded.reserve(positions * size)
    captions.inputs.withUnsafeBufferPointer { words in
      guard let words = words.baseAddress else { return }
      embedding.forward(rows: positions, words, into: embedded, pool: pool)
    }
    dropout.embedding.apply(rows: positions, columns: size, embedded, into: embedded, pool: pool)
    let injected = trace.injected.reserve(v.shape[0] * 4 * configuration.hiddenSize)
    imageToHidden.forward(rows: v.shape[0], v.pointer, into: injected, pool: pool)
    lstm.forward(
      captions, embedded, injected: injected, images: v.shape[0], injection: configuration.injection,
      dropout: dropout.between, into: &trace.lstm, pool: pool)
  }
}
