public import Decoding
public import Kernels
public import Layers
public import Tensors

/// Top-down attention (Anderson et al. 2018): one recurrent layer decides where to look, a second one speaks of what is
/// seen there.
///
///     h¹ₜ = Cell(W_x dropout(W_e[tokenₜ]) + W_m ā + W_ih v + U_12 h²ₜ₋₁, h¹ₜ₋₁)
///     zₜ  = Attention(regions, h¹ₜ)
///     h²ₜ = Cell(W_z zₜ + U_21 h¹ₜ, h²ₜ₋₁)
///     log p(tokenₜ₊₁) = log softmax(W_out dropout(h²ₜ) + b_out)
///
/// ā is the mean of the regions' values; W_ih v may be left out.
public struct TopDownDecoder<Cell: RecurrentCell>: SequenceDecoder {
  /// W_e [V, E]: `decoder.embedding.weight`.
  public var embedding: Embedding
  /// The layer that decides where to look: `decoder.CELL`, W_x [G·H, E].
  public var looking: Recurrent<Cell>
  /// The layer that speaks: `decoder.CELL1`, [W_z, U_21] [G·H, A + H].
  public var speaking: Recurrent<Cell>
  /// U_12 [G·H, H]: `decoder.feedback.weight`.
  public var feedback: Linear
  /// Where it looks: `decoder.attention`.
  public var attention: RegionAttention
  /// W_m [G·H, A]: `decoder.attention.mean_to_hidden.weight`.
  public var mean: Linear
  /// W_ih·v; nil: left out.
  public var injection: GateInjection?
  /// `decoder.output.weight` [V, H], `.bias` [V].
  public var output: SoftmaxProjection

  /// A decoder whose parameters come from `source`.
  public init<E: Error>(
    _ sizes: DecoderDescription, _ regions: AttentionDescription,
    from source: (ParameterSpecification) throws(E) -> Tensor
  ) throws(E) {
    let hidden = sizes.hiddenSize
    let path = "decoder.\(Cell.name)"
    embedding = try Embedding(
      "decoder.embedding", vocabularySize: sizes.vocabularySize, size: sizes.embeddingSize, from: source)
    looking = try Recurrent(path, inputs: sizes.embeddingSize, hidden: hidden, from: source)
    speaking = try Recurrent(path + "1", inputs: regions.valueSize + hidden, hidden: hidden, from: source)
    let sums = Cell.gates * hidden
    feedback = try Linear("decoder.feedback", inputs: hidden, outputs: sums, bias: false, from: source)
    attention = try RegionAttention("decoder.attention", regions.sizes(hidden: hidden), from: source)
    mean = try Linear(
      "decoder.attention.mean_to_hidden", inputs: regions.valueSize, outputs: sums, bias: false, gain: 0.5,
      from: source)
    injection = try sizes.gateInjection(sums: sums, from: source)
    output = try SoftmaxProjection(
      "decoder.output", hidden: hidden, vocabularySize: sizes.vocabularySize, from: source)
  }

  /// Calls `visit` with each parameter in order.
  public mutating func visitParameters<E: Error>(_ visit: (inout Parameter) throws(E) -> Void) throws(E) {
    try embedding.visitParameters(visit)
    try looking.visitParameters(visit)
    try speaking.visitParameters(visit)
    try feedback.visitParameters(visit)
    try attention.visitParameters(visit)
    try mean.visitParameters(visit)
    try injection?.visitParameters(visit)
    try output.visitParameters(visit)
  }

  /// V.
  public var vocabularySize: Int { embedding.vocabularySize }
  /// A.
  var valueSize: Int { attention.embedding.outputs }

  /// What is computed once an image.
  struct Context: Sendable {
    let regions: RegionAttention.Context
    /// ā [N, A].
    let mean: Tensor
    /// W_m ā [N, G·H].
    let sums: Tensor
    /// The same with W_ih·v; nil where that is left out.
    let injected: Tensor?
  }

  func context(of images: ImageFeatures, _ pass: ConditioningPass, on device: Device) -> Context {
    let context = attention.context(of: images, pass, on: device)
    let mean = context.mean(on: device)
    var sums = Tensor(uninitialized: [images.count, looking.sums])
    withExtendedLifetime(mean) { self.mean.product(mean.matrix, into: sums.mutableMatrix(), on: device) }
    var injected = injection.map { $0.context(of: images, pass, on: device) }
    if injected != nil {
      addScaled(count: sums.count, 1, sums.pointer, to: injected!.mutablePointer(), on: device)
    }
    return Context(regions: context, mean: mean, sums: sums, injected: injected)
  }

  /// W_m ā, with W_ih v where it is added at step t [N, G·H].
  func imageSums(_ context: Context, at t: Int) -> Tensor {
    guard let injection, injection.isAdded(at: t), let injected = context.injected else {
      return context.sums
    }
    return injected
  }

  /// What a training step keeps between forward and backward, and its memory between batches.
  public struct Trace: ReusableTrace {
    var looking = Recurrent<Cell>.Trace()
    var speaking = Recurrent<Cell>.Trace()
    /// Where it looked.
    public internal(set) var attention = RegionAttention.Trace()
    var injection = GateInjection.Trace()
    var output = SoftmaxProjection.Trace()
    var embedded = Buffer()
    var term = Buffer()
    // [P, A + H]: z and h¹, what the second layer reads.
    var seen = Buffer()
    // [L, H]: h² of the step before, of the positions that have one.
    var spokenBefore = Buffer()
    var lookingGradients = Buffer()
    var speakingGradients = Buffer()
    var seenGradients = Buffer()
    var imageGradients = Buffer()
    var meanGradients = Buffer()
    var embeddedGradients = Buffer()
    var batch: Batch?

    struct Batch: Sendable {
      let sequences: PackedSequences
      let images: ImageFeatures
      let context: Context
      let dropout: Dropout
      let outcome: PassOutcome
    }

    /// Nothing traced yet.
    public init() {}
  }

  /// As `SequenceDecoder` says. The layers take turns: each waits for the other.
  public mutating func trainingForward(
    _ sequences: PackedSequences, about images: ImageFeatures, _ pass: TrainingPass, into trace: inout Trace,
    on device: Device
  ) -> [Float] {
    let masks = masks(pass.dropout)
    let (positions, hidden) = (sequences.positions, looking.hidden)
    sequences.requireTokens(below: vocabularySize, images: images.count)
    let embedded = trace.embedded.reserve(positions, embedding.size)
    embedding.forward(sequences.inputs, into: embedded, on: device)
    masks.embedding.apply(Matrix(embedded), into: embedded, on: device)
    let context = context(of: images, masks.conditioning(pass), on: device)
    attention.begin(sequences, into: &trace.attention)
    let first = looking.begin(sequences, into: &trace.looking, on: device)
    let second = speaking.begin(sequences, into: &trace.speaking, on: device)
    looking.inputTerms(Matrix(embedded), into: first.gates, on: device)
    let seen = trace.seen.reserve(positions, valueSize + hidden)
    sequences.imageRows.withUnsafeBufferPointer { rows in
      for step in sequences.steps {
        let images = UnsafeBufferPointer(rebasing: rows[..<step.rows])
        let term = trace.term.reserve(step.rows, looking.sums)
        let spoken = step.before.map { Matrix(second.states[0].rows($0)) }
        lookingTerm(context, at: step.index, images, spoken: spoken, into: term, device)
        looking.step(step, of: first, context: SharedRows(Matrix(term)), on: device)
        let looked = Matrix(first.states[0].rows(step.range))
        let z = attention.attend(
          context.regions, images: images, hidden: looked, positions: step.range, into: &trace.attention,
          on: device)
        let read = seen.rows(step.range)
        join(Matrix(z), looked, into: read)
        speaking.inputTerms(Matrix(read), into: second.gates.rows(step.range), on: device)
        speaking.step(step, of: second, context: nil, on: device)
      }
    }
    let logProbabilities = output.forwardBackward(
      Matrix(second.states[0]), targets: sequences.targets, dropout: masks.output,
      gradient: pass.gradient(of: positions),
      dh: trace.speakingGradients.reserve(positions, hidden), trace: &trace.output, on: device)
    trace.batch = .init(
      sequences: sequences, images: images, context: context, dropout: masks.embedding,
      outcome: pass.outcome(logProbabilities))
    return logProbabilities
  }

  /// W_m ā + W_ih v + U_12 h² of some rows.
  func lookingTerm(
    _ context: Context, at t: Int, _ images: UnsafeBufferPointer<Int32>, spoken: Matrix?,
    into term: MutableMatrix, _ device: Device
  ) {
    let sums = imageSums(context, at: t)
    withExtendedLifetime(sums) {
      if let spoken {
        feedback.product(spoken, into: term, on: device)
      } else {
        term.base.update(repeating: 0, count: term.rows * term.columns)
      }
      addRows(images, of: sums.matrix, to: term, on: device)
    }
  }

  /// The same in inference: once a parent, where rows have parents.
  func lookingTerm(
    _ context: Context, at t: Int, _ images: UnsafeBufferPointer<Int32>, spoken: SharedRows?,
    into memory: inout Buffer, _ device: Device
  ) -> SharedRows {
    let parents = spoken?.imagesOfParents(images) ?? Array(images)
    let sums = memory.reserve(parents.count, looking.sums)
    parents.withUnsafeBufferPointer {
      lookingTerm(context, at: t, $0, spoken: spoken?.matrix, into: sums, device)
    }
    return SharedRows(Matrix(sums), rows: spoken?.rows)
  }

  /// z and h¹ beside each other.
  func join(_ z: Matrix, _ hidden: Matrix, into rows: MutableMatrix) {
    for row in 0..<rows.rows {
      rows[row].update(from: z[row], count: z.columns)
      (rows[row] + z.columns).update(from: hidden[row], count: hidden.columns)
    }
  }

  /// As `SequenceDecoder` says.
  public mutating func backward(_ trace: inout Trace, on device: Device) -> ImageFeatures {
    guard let batch = trace.batch else {
      preconditionFailure("backward without a trainingForward before it")
    }
    trace.batch = nil
    let (sequences, context) = (batch.sequences, batch.context)
    let (positions, hidden) = (sequences.positions, looking.hidden)
    let dSpoken = trace.speakingGradients.reserve(positions, hidden)
    let dLooked = trace.lookingGradients.reserve(positions, hidden)
    dLooked.base.update(repeating: 0, count: positions * hidden)
    attention.beginBackward(context.regions, sequences, batch.outcome, &trace.attention)
    let first = looking.beginBackward(sequences, &trace.looking, on: device)
    let second = speaking.beginBackward(sequences, &trace.speaking, on: device)
    for step in sequences.steps.reversed() {
      let (sums, _) = speaking.stepBackward(step, of: second, dh: dSpoken, &trace.speaking, on: device)
      let dz = trace.seenGradients.reserve(step.rows, valueSize)
      let looked = dLooked.rows(step.range)
      speaking.inputGradient(sums, columns: 0..<valueSize, into: dz, beta: 0, on: device)
      speaking.inputGradient(sums, columns: valueSize..<valueSize + hidden, into: looked, beta: 1, on: device)
      attention.attendBackward(
        context.regions, at: step, sums: Matrix(dz), hidden: looked, trace: &trace.attention, on: device)
      let (lookingSums, _) = looking.stepBackward(step, of: first, dh: dLooked, &trace.looking, on: device)
      if let before = step.before {
        multiply(
          .plain(lookingSums), .plain(feedback.weight.value.matrix), into: dSpoken.rows(before), beta: 1,
          on: device)
      }
    }
    let seen = Matrix(trace.seen.reserve(positions, valueSize + hidden))
    speaking.finishBackward(sequences, seen, dx: nil, trace: &trace.speaking, on: device)
    let embedded = trace.embeddedGradients.reserve(positions, embedding.size)
    let sums = looking.finishBackward(
      sequences, Matrix(trace.embedded.reserve(positions, embedding.size)), dx: embedded,
      trace: &trace.looking, on: device)
    batch.dropout.apply(Matrix(embedded), into: embedded, on: device)
    embedding.backward(sequences.inputs, Matrix(embedded), on: device)
    feedbackBackward(sequences, sums, spoken: Matrix(second.states[0]), &trace, device)
    return imageBackward(batch, sums, &trace, device)
  }

  /// δU_12 = δsumsᵀ h² of the step before.
  private mutating func feedbackBackward(
    _ sequences: PackedSequences, _ sums: Matrix, spoken: Matrix, _ trace: inout Trace, _ device: Device
  ) {
    let later = sequences.positions - sequences.count
    let before = trace.spokenBefore.reserve(later, spoken.columns)
    var row = 0
    for range in sequences.steps.compactMap(\.before) {
      before[row].update(from: spoken[range.lowerBound], count: range.count * spoken.columns)
      row += range.count
    }
    feedback.backward(Matrix(before), sums.rows(sequences.count..<sequences.positions), on: device)
  }

  /// The gradients of W_m, W_ih, the attention and the images' features.
  private mutating func imageBackward(
    _ batch: Trace.Batch, _ sums: Matrix, _ trace: inout Trace, _ device: Device
  ) -> ImageFeatures {
    let (sequences, context) = (batch.sequences, batch.context)
    let gradients = trace.imageGradients.reserve(batch.images.count, sums.columns)
    scatterAdd(sums, to: sequences.imageOfPosition, into: gradients, on: device)
    let dMean = trace.meanGradients.reserve(batch.images.count, valueSize)
    withExtendedLifetime(context) {
      mean.backward(context.mean.matrix, Matrix(gradients), into: dMean, on: device)
    }
    attention.addMeanGradient(Matrix(dMean), context.regions, &trace.attention, on: device)
    let regions = attention.finishBackward(
      context.regions, regions: batch.images.regions!, &trace.attention, on: device)
    var result = ImageFeatures(v: Tensor(zeros: batch.images.v.shape))
    if injection != nil {
      result = injection!.backward(
        of: batch.images, context.injected!, sequences, ConditioningGradients(sums: sums),
        trace: &trace.injection, on: device)
    }
    result.regions = regions
    return result
  }

  /// As `SequenceDecoder` says.
  public func attentionWeights(
    _ sequences: PackedSequences, about images: ImageFeatures, on device: Device
  ) -> Tensor? {
    var (copy, trace) = (self, Trace())
    _ = copy.trainingForward(sequences, about: images, TrainingPass(), into: &trace, on: device)
    return images.regions.map { trace.attention.weights(regions: $0.shape[1]) }
  }

  func masks(_ pass: DropoutPass) -> DecoderMasks { DecoderMasks(pass, layers: 1) }

  /// As `SequenceDecoder` says.
  public func session(
    for images: ImageFeatures, sharing cache: DecodingCache, dropout: DropoutPass?, on device: Device
  ) -> TopDownSession<Cell> {
    TopDownSession(self, images, sharing: cache, dropout: dropout, on: device)
  }
}
