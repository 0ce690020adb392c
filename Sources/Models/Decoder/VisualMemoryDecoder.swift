public import Decoding
public import Kernels
public import Layers
public import Tensors

/// A recurrent visual memory ("Mind's Eye", Chen & Zitnick 2015): beside the layer that speaks, a second one makes of the
/// words said so far what an image of them would look like, and the next word is predicted from both.
///
///     xₜ = dropout(W_e[tokenₜ])
///     sₜ = Cell(xₜ, sₜ₋₁, W_ih v), where v enters half of the units
///     uₜ = Cell(xₜ, uₜ₋₁)
///     ṽₜ = W_r uₜ + b_r
///     log p(tokenₜ₊₁) = log softmax(W_out dropout([sₜ, uₜ]) + b_out)
///
/// In training λ·mean (ṽ − v)² over words and numbers of v is added to the loss. Before the first word ṽ is what images look
/// like on the whole; u says what has been told already, s what there is to tell. Captions and scores need no ṽ.
///
/// From the paper are the two layers beside each other, v in half of the units of s, the reconstruction from the words alone,
/// and the prediction from both. It leaves open, or this program has in another way:
/// - what λ is, and how errors are averaged: as above, and v is the whole feature (D numbers, FC-4096 with `full` or
///   `compact` heads of that size). v counts as a number there: a head that learns would otherwise make it small.
/// - what else u and ṽ see: nothing, so that v cannot reach ṽ but through words.
/// - the units: the paper's are logistic; here both layers are made of any cell.
/// - words: the paper's come by classes, helped by maximum-entropy features of n-grams; here by one softmax. It reads them as
///   they are (one of V), which an embedding as large as the layer does too.
public struct VisualMemoryDecoder<Cell: RecurrentCell>: SequenceDecoder {
  /// W_e [V, E]: `decoder.embedding.weight`.
  public var embedding: Embedding
  /// s: `decoder.CELL`, W_xh [G·H, E].
  public var speaking: Recurrent<Cell>
  /// u: `decoder.memory`, W_xh [G·U, E].
  public var memory: Recurrent<Cell>
  /// W_ih [G·(H − H/2), D], of the first half of each gate's units: `decoder.image_to_hidden.weight`.
  public var image: Linear
  /// W_r [D, U], b_r: `decoder.reconstruction`.
  public var reconstruction: Linear
  /// `decoder.output.weight` [V, H + U], `.bias` [V].
  public var output: SoftmaxProjection

  /// A decoder with a memory of `size` units (U) whose parameters come from `source`.
  public init<E: Error>(
    _ sizes: DecoderDescription, size: Int, from source: (ParameterSpecification) throws(E) -> Tensor
  ) throws(E) {
    let (words, features) = (sizes.embeddingSize, sizes.imageFeatureSize)
    let hidden = sizes.hiddenSize
    embedding = try Embedding(
      "decoder.embedding", vocabularySize: sizes.vocabularySize, size: words, from: source)
    speaking = try Recurrent("decoder.\(Cell.name)", inputs: words, hidden: hidden, from: source)
    memory = try Recurrent("decoder.memory", inputs: words, hidden: size, from: source)
    image = try Linear(
      "decoder.image_to_hidden", inputs: features, outputs: Cell.gates * (hidden - hidden / 2), bias: false,
      gain: 0.5, from: source)
    reconstruction = try Linear("decoder.reconstruction", inputs: size, outputs: features, from: source)
    output = try SoftmaxProjection(
      "decoder.output", hidden: hidden + size, vocabularySize: sizes.vocabularySize, from: source)
  }

  /// Calls `visit` with each parameter in order.
  public mutating func visitParameters<E: Error>(_ visit: (inout Parameter) throws(E) -> Void) throws(E) {
    try embedding.visitParameters(visit)
    try speaking.visitParameters(visit)
    try memory.visitParameters(visit)
    try image.visitParameters(visit)
    try reconstruction.visitParameters(visit)
    try output.visitParameters(visit)
  }

  /// V.
  public var vocabularySize: Int { embedding.vocabularySize }

  /// W_ih v of N images [N, G·H]: zero in the second half of each gate's units.
  func context(of images: ImageFeatures, on device: Device) -> Tensor {
    precondition(images.v.shape[1] == image.inputs, "v is \(images.v.shape)")
    var seen = Tensor(uninitialized: [images.count, image.outputs])
    var sums = Tensor(zeros: [images.count, speaking.sums])
    let (from, to) = (seen.mutableMatrix(), sums.mutableMatrix())
    withExtendedLifetime(images) { image.product(images.v.matrix, into: from, on: device) }
    for row in 0..<images.count {
      forEachGate { ofGate, ofUnits in
        to.columns(ofUnits)[row].update(from: from.columns(ofGate)[row], count: ofGate.count)
      }
    }
    withExtendedLifetime(seen) {}
    return sums
  }

  /// The columns of each gate in W_ih v, and those of the units that it enters.
  private func forEachGate(_ body: (_ seen: Range<Int>, _ units: Range<Int>) -> Void) {
    let seen = image.outputs / Cell.gates
    for gate in 0..<Cell.gates {
      let first = gate * speaking.hidden
      body(gate * seen..<(gate + 1) * seen, first..<first + seen)
    }
  }

  /// s and u beside each other.
  func join(_ s: Matrix, _ u: Matrix, into rows: MutableMatrix) {
    for row in 0..<rows.rows {
      rows[row].update(from: s[row], count: s.columns)
      (rows[row] + s.columns).update(from: u[row], count: u.columns)
    }
  }

  /// What a training step keeps between forward and backward, and its memory between batches.
  public struct Trace: ReusableTrace {
    var speaking = Recurrent<Cell>.Trace()
    var memory = Recurrent<Cell>.Trace()
    var output = SoftmaxProjection.Trace()
    // [P, E], [P, H + U], [P, D], and gradients.
    var embedded = Buffer()
    var joined = Buffer()
    var errors = Buffer()
    var joinedGradients = Buffer()
    var speakingGradients = Buffer()
    var memoryGradients = Buffer()
    var reconstructionGradients = Buffer()
    var embeddedGradients = Buffer()
    var memoryInputGradients = Buffer()
    var imageGradients = Buffer()
    var batch: Batch?
    /// mean (ṽ − v)² of the last forward pass.
    public internal(set) var reconstructionError = 0.0

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
    let context = context(of: images, on: device)
    sequences.imageRows.withUnsafeBufferPointer { rows in
      speaking.forward(sequences, Matrix(x), into: &trace.speaking, on: device) { _, _ in
        SharedRows(context.matrix, rows: rows.baseAddress)
      }
    }
    withExtendedLifetime(context) {}
    memory.forward(sequences, Matrix(x), into: &trace.memory, on: device)
    let u = Matrix(trace.memory.hiddenStates, rows: positions, columns: memory.hidden)
    let joined = trace.joined.reserve(positions, speaking.hidden + memory.hidden)
    join(Matrix(trace.speaking.hiddenStates, rows: positions, columns: speaking.hidden), u, into: joined)
    reconstruct(sequences, images, from: u, weight: pass.reconstructionWeight, &trace, device)
    trace.batch = .init(sequences: sequences, images: images, dropout: masks.embedding)
    return output.forwardBackward(
      Matrix(joined), targets: sequences.targets, dropout: masks.output,
      gradient: pass.gradient(of: positions), dh: trace.joinedGradients.reserve(positions, joined.columns),
      trace: &trace.output, on: device)
  }

  /// ṽ − v of every position, and what it weighs in the loss: 2λ/(P·D) (ṽ − v). Where there is no image, it is zero.
  private func reconstruct(
    _ sequences: PackedSequences, _ images: ImageFeatures, from u: Matrix, weight: Float,
    _ trace: inout Trace, _ device: Device
  ) {
    let errors = trace.errors.reserve(u.rows, reconstruction.outputs)
    reconstruction.forward(u, into: errors, on: device)
    let count = max(1, errors.rows * errors.columns)
    let scale = 2 * weight / Float(count)
    var sum = 0.0
    withExtendedLifetime(images) {
      for (row, image) in sequences.imageOfPosition.enumerated() {
        let error = errors[row]
        guard Int(image) < images.count - images.unseen else {
          error.update(repeating: 0, count: errors.columns)
          continue
        }
        let v = images.v.matrix[Int(image)]
        for column in 0..<errors.columns { error[column] -= v[column] }
        sum += sumOfSquares(error, count: errors.columns, on: device)
        for column in 0..<errors.columns { error[column] *= scale }
      }
    }
    trace.reconstructionError = sum / Double(count)
  }

  /// As `SequenceDecoder` says.
  public mutating func backward(_ trace: inout Trace, on device: Device) -> ImageFeatures {
    guard let batch = trace.batch else {
      preconditionFailure("backward without a trainingForward before it")
    }
    trace.batch = nil
    let sequences = batch.sequences
    let positions = sequences.positions
    let (hidden, size) = (speaking.hidden, memory.hidden)
    let joined = trace.joinedGradients.reserve(positions, hidden + size)
    let ds = trace.speakingGradients.reserve(positions, hidden)
    let du = trace.memoryGradients.reserve(positions, size)
    for row in 0..<positions {
      ds[row].update(from: joined[row], count: hidden)
      du[row].update(from: joined[row] + hidden, count: size)
    }
    let reconstructed = trace.reconstructionGradients.reserve(positions, size)
    reconstruction.backward(
      Matrix(trace.memory.hiddenStates, rows: positions, columns: size),
      Matrix(trace.errors.reserve(positions, reconstruction.outputs)), into: reconstructed, on: device)
    addRows(Matrix(reconstructed), to: du, on: device)
    let x = Matrix(trace.embedded.reserve(positions, embedding.size))
    let dx = trace.embeddedGradients.reserve(positions, embedding.size)
    let memoryInput = trace.memoryInputGradients.reserve(positions, embedding.size)
    memory.backward(sequences, x, dh: du, dx: memoryInput, trace: &trace.memory, on: device)
    let sums = speaking.backward(sequences, x, dh: ds, dx: dx, trace: &trace.speaking, on: device)
    addRows(Matrix(memoryInput), to: dx, on: device)
    batch.dropout.apply(Matrix(dx), into: dx, on: device)
    embedding.backward(sequences.inputs, Matrix(dx), on: device)
    return imageBackward(batch, sums, &trace, device)
  }

  /// The gradients of W_ih and v.
  private mutating func imageBackward(
    _ batch: Trace.Batch, _ sums: Matrix, _ trace: inout Trace, _ device: Device
  ) -> ImageFeatures {
    let images = batch.images
    let all = trace.imageGradients.reserve(images.count, sums.columns)
    scatterAdd(sums, to: batch.sequences.imageOfPosition, into: all, on: device)
    var seen = Tensor(uninitialized: [images.count, image.outputs])
    let gradients = seen.mutableMatrix()
    for row in 0..<images.count {
      forEachGate { ofGate, ofUnits in
        gradients.columns(ofGate)[row].update(from: all.columns(ofUnits)[row], count: ofGate.count)
      }
    }
    var dv = Tensor(uninitialized: images.v.shape)
    withExtendedLifetime((images, seen)) {
      image.backward(images.v.matrix, Matrix(gradients), into: dv.mutableMatrix(), on: device)
    }
    return ImageFeatures(v: dv)
  }

  func masks(_ pass: DropoutPass) -> DecoderMasks { DecoderMasks(pass, layers: 1) }

  /// As `SequenceDecoder` says.
  public func session(
    for images: ImageFeatures, sharing cache: DecodingCache, dropout: DropoutPass?, on device: Device
  ) -> VisualMemorySession<Cell> {
    VisualMemorySession(self, images, sharing: cache, dropout: dropout, on: device)
  }
}
