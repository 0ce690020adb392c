public import Decoding
public import Kernels
public import Layers
internal import Support
public import Tensors

/// A recurrent language model of tokens about images: a cell, and a way in which the image enters.
///
///     xₜ = dropout(W_e[tokenₜ])
///     hₜ = Cell(xₜ, hₜ₋₁, context), of one layer or several
///     log p(tokenₜ₊₁) = log softmax(W_out dropout(hₜ) + b_out)
///
/// The context enters the lowest layer unless the description names another; the image may also be what is read before the
/// first token, or the states that captions begin with, as the conditioning says.
public struct RecurrentDecoder<Cell: RecurrentCell, Condition: Conditioning>: SequenceDecoder {
  /// W_e [V, E]: `decoder.embedding.weight`.
  public var embedding: Embedding
  /// `decoder.CELL.weight_xh` [G·H, E], `.weight_hh` [G·H, H], `.bias` [G·H], or as many rows as the cell has of each; of
  /// the next layers `decoder.CELL1`…, whose `.weight_xh` has H columns.
  public var stack: RecurrentStack<Cell>
  /// How the image enters.
  public var conditioning: Condition
  /// `decoder.output.weight` [V, H], `.bias` [V].
  public var output: SoftmaxProjection

  /// A decoder whose parameters come from `source`: a model file, or `{ $0.untrained(using: &random) }`.
  /// - Parameter conditioning: makes the conditioning, given G·H.
  public init<E: Error>(
    _ sizes: DecoderDescription, conditioning: (_ sums: Int) throws(E) -> Condition,
    from source: (ParameterSpecification) throws(E) -> Tensor
  ) throws(E) {
    let hidden = sizes.hiddenSize
    embedding = try Embedding(
      "decoder.embedding", vocabularySize: sizes.vocabularySize, size: sizes.embeddingSize, from: source)
    stack = try RecurrentStack(
      "decoder.\(Cell.name)", inputs: sizes.embeddingSize, hidden: hidden, layers: sizes.layers,
      contextLayer: sizes.contextLayer, isResidual: sizes.isResidual, from: source)
    self.conditioning = try conditioning(Cell.gates * hidden)
    output = try SoftmaxProjection(
      "decoder.output", hidden: hidden, vocabularySize: sizes.vocabularySize, from: source)
  }

  /// Calls `visit` with each parameter in order.
  public mutating func visitParameters<E: Error>(_ visit: (inout Parameter) throws(E) -> Void) throws(E) {
    try embedding.visitParameters(visit)
    try stack.visitParameters(visit)
    try conditioning.visitParameters(visit)
    try output.visitParameters(visit)
  }

  /// V.
  public var vocabularySize: Int { embedding.vocabularySize }

  /// What a training step keeps between forward and backward, and its memory between batches.
  public struct Trace: ReusableTrace {
    var stack = RecurrentStack<Cell>.Trace()
    var conditioning = Condition.Trace()
    var output = SoftmaxProjection.Trace()
    var embedded = Buffer()
    var hiddenGradients = Buffer()
    var embeddedGradients = Buffer()
    var batch: Batch?

    struct Batch: Sendable {
      /// What the stack read: with a step before the first token where the image is an input.
      let sequences: PackedSequences
      /// Positions before those of the tokens: B or 0.
      let leading: Int
      let images: ImageFeatures
      let context: Condition.Context
      let dropout: Dropout
      let outcome: PassOutcome
    }

    /// Nothing traced yet.
    public init() {}
  }

  /// As `SequenceDecoder` says: W_xh·x of all positions in one product, the context once an image.
  public mutating func trainingForward(
    _ sequences: PackedSequences, about images: ImageFeatures, _ pass: TrainingPass, into trace: inout Trace,
    on device: Device
  ) -> [Float] {
    let masks = masks(pass.dropout)
    let positions = sequences.positions
    sequences.requireTokens(below: vocabularySize, images: images.count)
    let context = conditioning.context(of: images, masks.conditioning(pass), on: device)
    let first = conditioning.firstInput(context)
    let read = first == nil ? sequences : sequences.precededByInput
    let leading = read.positions - positions
    let x = trace.embedded.reserve(read.positions, embedding.size)
    let embedded = x.rows(leading..<read.positions)
    if let first {
      gatherRows(sequences.imageRows, of: first, into: x.rows(0..<leading), on: device)
    }
    sequences.inputs.withUnsafeBufferPointer { tokens in
      guard let tokens = tokens.baseAddress else { return }
      embedding.forward(tokens, into: embedded, on: device)
    }
    masks.embedding.apply(Matrix(embedded), into: embedded, on: device)
    conditioning.begin(read, into: &trace.conditioning)
    sequences.imageRows.withUnsafeBufferPointer { rows in
      let initial = conditioning.initialStates(context)?.map { CellStates($0, rows: rows.baseAddress) }
      stack.forward(
        read, Matrix(x), dropout: leading > 0 ? masks.betweenAfterInput : masks.between, from: initial,
        into: &trace.stack, on: device
      ) { step, hidden in
        conditioning.term(
          context,
          at: ConditioningStep(
            index: step.index, images: UnsafeBufferPointer(rebasing: rows[..<step.rows]),
            hidden: hidden.map { SharedRows($0) }, positions: step.range),
          into: &trace.conditioning, on: device)
      }
    }
    let dh = trace.hiddenGradients.reserve(read.positions, stack.hidden)
    dh.base.update(repeating: 0, count: leading * stack.hidden)
    let logProbabilities = output.forwardBackward(
      Matrix(trace.stack.hiddenStates, rows: read.positions, columns: stack.hidden)
        .rows(leading..<read.positions),
      targets: sequences.targets, dropout: masks.output, gradient: pass.gradient(of: positions),
      dh: dh.rows(leading..<read.positions), trace: &trace.output, on: device)
    trace.batch = .init(
      sequences: read, leading: leading, images: images, context: context, dropout: masks.embedding,
      outcome: pass.outcome(logProbabilities).preceded(by: leading))
    return logProbabilities
  }

  /// As `SequenceDecoder` says.
  public mutating func backward(_ trace: inout Trace, on device: Device) -> ImageFeatures {
    guard let batch = trace.batch else {
      preconditionFailure("backward without a trainingForward before it")
    }
    trace.batch = nil
    let (positions, size) = (batch.sequences.positions, embedding.size)
    let dx = trace.embeddedGradients.reserve(positions, size)
    let dh = trace.hiddenGradients.reserve(positions, stack.hidden)
    conditioning.beginBackward(batch.context, batch.sequences, batch.outcome, trace: &trace.conditioning)
    let sums = stack.backward(
      batch.sequences, Matrix(trace.embedded.pointer, rows: positions, columns: size), dh: dh, dx: dx,
      trace: &trace.stack, on: device
    ) { step, sums, hidden in
      conditioning.termBackward(
        batch.context, at: step, sums: sums, hidden: hidden, trace: &trace.conditioning, on: device)
    }
    let embedded = dx.rows(batch.leading..<positions)
    batch.dropout.apply(Matrix(embedded), into: embedded, on: device)
    batch.sequences.inputs.withUnsafeBufferPointer { tokens in
      guard let tokens = tokens.baseAddress else { return }
      embedding.backward(tokens + batch.leading, Matrix(embedded), on: device)
    }
    let begun = conditioning.initialStates(batch.context) != nil
    let gradients = ConditioningGradients(
      sums: sums,
      initialStates: begun
        ? stack.layers.indices.map {
          trace.stack.initialGradients($0, batch.sequences.count, hidden: stack.hidden)
        } : [],
      firstInput: batch.leading > 0 ? Matrix(dx.rows(0..<batch.leading)) : nil)
    return conditioning.backward(
      of: batch.images, batch.context, batch.sequences, gradients, trace: &trace.conditioning, on: device)
  }

  /// As `SequenceDecoder` says.
  public func attentionWeights(
    _ sequences: PackedSequences, about images: ImageFeatures, on device: Device
  ) -> Tensor? {
    var (copy, trace) = (self, Trace())
    _ = copy.trainingForward(sequences, about: images, TrainingPass(), into: &trace, on: device)
    return trace.batch.flatMap { conditioning.attentionWeights($0.context, trace.conditioning) }
  }

  func masks(_ pass: DropoutPass) -> DecoderMasks { DecoderMasks(pass, layers: stack.layers.count) }

  /// As `SequenceDecoder` says.
  public func session(
    for images: ImageFeatures, sharing cache: DecodingCache, dropout: DropoutPass?, on device: Device
  ) -> RecurrentSession<Cell, Condition> {
    RecurrentSession(self, images, sharing: cache, dropout: dropout, on: device)
  }
}
