public import Kernels
public import Tensors

/// Soft attention over the regions of an image (Bahdanau et al. 2015; Xu et al. 2015): given the regions x₁ … x_R of an
/// image and a hidden state h,
///
///     aᵢ = dropout(ReLU(W_e xᵢ + b_e)),  kᵢ = W_k aᵢ + b_k
///     eᵢ = w·f(kᵢ + W_q h),  α = softmax e,  z = Σ αᵢ aᵢ
///
/// f being tanh, or a ReLU; or, where a training pass draws regions, z = aₛ with the probability αₛ: see `AttentionSampling`.
/// a and k are computed once an image, whatever is said of it.
public struct RegionAttention: Module {
  /// W_e [A, C], b_e.
  public var embedding: Linear
  /// W_k [K, A], b_k.
  public var keys: Linear
  /// W_q [K, H].
  public var query: Linear
  /// w [1, K].
  public var scorer: Linear
  /// f.
  public let comparison: Attention.Comparison

  /// The sizes of attention.
  public struct Sizes: Sendable, Equatable {
    /// C, of a region.
    public var channels: Int
    /// A, of what is summed.
    public var values: Int
    /// K, of what is compared.
    public var keys: Int
    /// H.
    public var hidden: Int
    /// By what keys and query are compared.
    public var comparison: Attention.Comparison

    /// Sizes of at least 1.
    public init(
      channels: Int, values: Int, keys: Int, hidden: Int, comparison: Attention.Comparison = .tanh
    ) {
      self.channels = channels
      self.values = values
      self.keys = keys
      self.hidden = hidden
      self.comparison = comparison
    }
  }

  /// `path`.regions, .keys, .query and .scorer.
  public init<E: Error>(
    _ path: String, _ sizes: Sizes, from source: (ParameterSpecification) throws(E) -> Tensor
  ) throws(E) {
    embedding = try Linear(
      path + ".regions", inputs: sizes.channels, outputs: sizes.values, gain: Float(2).squareRoot(),
      from: source)
    keys = try Linear(path + ".keys", inputs: sizes.values, outputs: sizes.keys, from: source)
    query = try Linear(path + ".query", inputs: sizes.hidden, outputs: sizes.keys, bias: false, from: source)
    scorer = try Linear(path + ".scorer", inputs: sizes.keys, outputs: 1, bias: false, from: source)
    comparison = sizes.comparison
  }

  /// Calls `visit` with each parameter in order.
  public mutating func visitParameters<E: Error>(_ visit: (inout Parameter) throws(E) -> Void) throws(E) {
    try embedding.visitParameters(visit)
    try keys.visitParameters(visit)
    try query.visitParameters(visit)
    try scorer.visitParameters(visit)
  }

  /// What is computed once an image.
  public struct Context: Sendable {
    /// R.
    public let regions: Int
    /// How many of the N images are images: the first ones.
    let seen: Int
    /// a of all images [N·R, A].
    public let values: Tensor
    /// k of all images [N·R, K].
    public let keys: Tensor
    /// How they were made.
    public let pass: ConditioningPass

    /// N.
    public var images: Int { values.shape[0] / regions }

    /// The mean of each image's values [N, A].
    public func mean(on device: Device) -> Tensor {
      let width = values.shape[1]
      var result = Tensor(zeros: [images, width])
      let memory = result.mutableMatrix()
      withExtendedLifetime(values) {
        for image in 0..<images {
          for region in 0..<regions {
            let row = values.pointer + (image * regions + region) * width
            addScaled(count: width, 1 / Float(regions), row, to: memory[image], on: device)
          }
        }
      }
      return result
    }
  }

  /// The context of images of R regions [N, R, C]. The values of what is no image are zero, and so is what is seen there.
  public func context(of images: ImageFeatures, _ pass: ConditioningPass, on device: Device) -> Context {
    guard let regions = images.regions else { preconditionFailure("images without regions") }
    precondition(
      regions.shape.rank == 3 && regions.shape[2] == embedding.inputs, "regions are \(regions.shape)")
    let rows = regions.shape[0] * regions.shape[1]
    let x = regions.reshaped([rows, embedding.inputs])
    var values = Tensor(uninitialized: [rows, embedding.outputs])
    var keys = Tensor(uninitialized: [rows, self.keys.outputs])
    let memory = values.mutableMatrix()
    withExtendedLifetime(x) { embedding.product(x.matrix, into: memory, on: device) }
    addBiasReLUDropout(
      embedding.bias!.value.pointer, to: memory, pass.regionDropout.ofRows(each: regions.shape[1]), on: device
    )
    images.clearUnseen(memory, perImage: regions.shape[1])
    self.keys.forward(Matrix(memory), into: keys.mutableMatrix(), on: device)
    return Context(
      regions: regions.shape[1], seen: images.count - images.unseen, values: values, keys: keys, pass: pass)
  }

  /// What steps leave for the backward pass, and their memory.
  public struct Trace: ReusableTrace {
    /// The image of each sequence; empty in inference.
    public fileprivate(set) var images: [Int32] = []
    // [P, R], [P, K], [P, A], [P, H]; in inference, of a step's rows.
    fileprivate var weights = Buffer()
    fileprivate var queries = Buffer()
    fileprivate var sums = Buffer()
    fileprivate var hidden = Buffer()
    // [B, R]: Σₜ α.
    fileprivate var coverage = Buffer()
    // Backward only.
    fileprivate var weightGradients = Buffer()
    fileprivate var queryGradients = Buffer()
    fileprivate var keyGradients = Buffer()
    fileprivate var valueGradients = Buffer()
    // [P, A]: δz of every position.
    fileprivate var sumGradients = Buffer()
    fileprivate var scorerGradients = Buffer()
    fileprivate var positions = 0
    /// The image of each position, in the backward pass.
    fileprivate var imageOfPosition: [Int32] = []
    /// The regions that positions see; nil: the mean of all.
    fileprivate var drawn: DrawnLocations?

    /// Nothing traced yet.
    public init() {}

    /// The region that each position of the last training pass saw [P], -1: the mean of all; nil where none was drawn.
    public var seenRegions: [Int32]? { drawn?.regions }

    /// α of every position [P, R] of a training pass.
    public func weights(regions: Int) -> Tensor {
      Tensor(
        Array(UnsafeBufferPointer(start: weights.pointer, count: positions * regions)), [positions, regions])
    }
  }

  /// Before the first step of a training pass.
  public func begin(_ sequences: PackedSequences, into trace: inout Trace) {
    trace.images = sequences.imageRows
    trace.positions = sequences.positions
    trace.drawn = nil
  }

  /// z of some rows [rows, A], in memory that the next call uses again; in training, all positions' stays.
  /// - Parameters:
  ///   - images: which image each row looks at.
  ///   - hidden: h of each row [rows, H]; nil: zero.
  ///   - positions: of a packed batch, which the rows are; nil in inference.
  public func attend(
    _ context: Context, images: UnsafeBufferPointer<Int32>, hidden: Matrix?, positions: Range<Int>?,
    into trace: inout Trace, on device: Device
  ) -> MutableMatrix {
    let total = positions == nil ? images.count : trace.positions
    let rows = positions ?? 0..<images.count
    let queries = trace.queries.reserve(total, keys.outputs).rows(rows)
    let weights = trace.weights.reserve(total, context.regions).rows(rows)
    let sums = trace.sums.reserve(total, embedding.outputs).rows(rows)
    if let hidden { query.product(hidden, into: queries, on: device) }
    attention(context, images, queries: hidden == nil ? nil : Matrix(queries))
      .forward(weights: weights, sums: sums, on: device)
    if let positions {
      remember(hidden, weights, positions, &trace)
      if let sampling = context.pass.attentionSampling {
        see(sampling, context, images, weights, positions, into: sums, &trace)
      }
    }
    return sums
  }

  /// Puts the value of the region that a position sees in place of the mean.
  private func see(
    _ sampling: AttentionSampling, _ context: Context, _ images: UnsafeBufferPointer<Int32>,
    _ weights: MutableMatrix, _ positions: Range<Int>, into sums: MutableMatrix, _ trace: inout Trace
  ) {
    if positions.lowerBound == 0 { trace.drawn = DrawnLocations(sampling, positions: trace.positions) }
    trace.drawn?.draw(positions, from: weights) { Int(images[$0]) < context.seen }
    withExtendedLifetime(context) {
      for (row, position) in positions.enumerated() {
        guard let region = trace.drawn?.regions[position], region >= 0 else { continue }
        let value = context.values.matrix[Int(images[row]) * context.regions + Int(region)]
        sums[row].update(from: value, count: sums.columns)
      }
    }
  }

  private func attention(
    _ context: Context, _ images: UnsafeBufferPointer<Int32>, queries: Matrix?
  ) -> Attention {
    Attention(
      keys: context.keys.matrix, values: context.values.matrix, regions: context.regions,
      scorer: scorer.weight.value.pointer, images: images, queries: queries,
      comparison: comparison)
  }

  /// Keeps what the queries came from, and adds the weights up.
  private func remember(
    _ hidden: Matrix?, _ weights: MutableMatrix, _ positions: Range<Int>, _ trace: inout Trace
  ) {
    let kept = trace.hidden.reserve(trace.positions, query.inputs).rows(positions)
    let coverage = trace.coverage.reserve(trace.images.count, weights.columns)
    if positions.lowerBound == 0 {
      coverage.base.update(repeating: 0, count: coverage.rows * coverage.columns)
    }
    for row in 0..<positions.count {
      if let hidden {
        kept[row].update(from: hidden[row], count: query.inputs)
      } else {
        kept[row].update(repeating: 0, count: query.inputs)
      }
      for region in 0..<weights.columns { coverage[row][region] += weights[row][region] }
    }
  }

  /// z of a step of the last training pass [rows, A].
  public func sums(of step: PackedStep, _ trace: inout Trace) -> Matrix {
    sums(trace.positions, &trace).rows(step.range)
  }

  /// z of all positions of the last training pass [P, A].
  public func sums(_ positions: Int, _ trace: inout Trace) -> Matrix {
    Matrix(trace.sums.reserve(positions, embedding.outputs))
  }

  /// Before the backward pass of the last step.
  public func beginBackward(
    _ context: Context, _ sequences: PackedSequences, _ outcome: PassOutcome, _ trace: inout Trace
  ) {
    trace.drawn?.reward(sequences, outcome)
    trace.imageOfPosition = sequences.imageOfPosition
    func zeros(_ buffer: inout Buffer, _ rows: Int, _ columns: Int) {
      buffer.reserve(rows * columns).update(repeating: 0, count: rows * columns)
    }
    zeros(&trace.keyGradients, context.keys.shape[0], keys.outputs)
    zeros(&trace.valueGradients, context.values.shape[0], embedding.outputs)
    zeros(&trace.scorerGradients, context.images, keys.outputs)
  }

  /// The backward pass of one step, the last step first.
  /// - Parameters:
  ///   - sums: δz [rows, A].
  ///   - hidden: δh of what the step looked with [rows, H], to be added to; nil where that was zero.
  public func attendBackward(
    _ context: Context, at step: PackedStep, sums: Matrix, hidden: MutableMatrix?, trace: inout Trace,
    on device: Device
  ) {
    let (positions, rows) = (trace.positions, step.range)
    let weightGradients = trace.weightGradients.reserve(step.rows, context.regions)
    penalize(weightGradients, context.pass.attentionPenalty, &trace)
    let queryGradients = trace.queryGradients.reserve(positions, keys.outputs).rows(rows)
    // Without a state to look with, queries were zero.
    let queries = trace.queries.reserve(positions, keys.outputs).rows(rows)
    if hidden == nil { queries.base.update(repeating: 0, count: queries.rows * queries.columns) }
    let gradients = Attention.Gradients(
      keys: trace.keyGradients.reserve(context.keys.shape[0], keys.outputs),
      scorer: trace.scorerGradients.reserve(context.images, keys.outputs), queries: queryGradients)
    let weights = trace.weights.reserve(positions, context.regions).rows(rows)
    trace.drawn?.addGradients(rows, Matrix(weights), to: weightGradients)
    let seen = trace.drawn.map { $0.regions[rows] }
    let kept = trace.sumGradients.reserve(positions, embedding.outputs).rows(rows)
    for row in 0..<step.rows { kept[row].update(from: sums[row], count: sums.columns) }
    trace.images.withUnsafeBufferPointer { images in
      attention(
        context, UnsafeBufferPointer(rebasing: images[..<step.rows]), queries: Matrix(queries)
      ).backward(
        weights: Matrix(weights), sums: sums, weightGradients: weightGradients, seeing: seen, into: gradients,
        on: device)
    }
    if let hidden {
      multiply(
        .plain(Matrix(queryGradients)), .plain(query.weight.value.matrix), into: hidden, beta: 1, on: device)
    }
  }

  /// The regulariser's gradient: 2λ(Σₜ α − 1) / (B·R).
  private func penalize(_ gradients: MutableMatrix, _ penalty: Float, _ trace: inout Trace) {
    let (captions, regions) = (trace.images.count, gradients.columns)
    let coverage = trace.coverage.reserve(captions, regions)
    let scale = 2 * penalty / Float(max(1, captions * regions))
    for row in 0..<gradients.rows {
      for region in 0..<regions {
        gradients[row][region] = penalty == 0 ? 0 : scale * (coverage[row][region] - 1)
      }
    }
  }

  /// λ·mean (1 − Σₜ α)² of the last training pass.
  public func penalty(_ context: Context, _ trace: Trace) -> Double {
    let count = trace.images.count * context.regions
    var sum = 0.0
    for place in 0..<count {
      let missing = 1 - Double(trace.coverage.pointer[place])
      sum += missing * missing
    }
    return Double(context.pass.attentionPenalty) * sum / Double(max(1, count))
  }

  /// Adds the gradient of the mean of each image's values [N, A].
  public func addMeanGradient(_ mean: Matrix, _ context: Context, _ trace: inout Trace, on device: Device) {
    let gradients = trace.valueGradients.reserve(context.values.shape[0], embedding.outputs)
    for row in 0..<gradients.rows {
      addScaled(
        count: gradients.columns, 1 / Float(context.regions), mean[row / context.regions], to: gradients[row],
        on: device)
    }
  }

  /// After the last step: writes the gradients of the parameters.
  /// - Parameter regions: [N, R, C], as in the forward pass.
  /// - Returns: their gradients, if somebody wants them.
  public mutating func finishBackward(
    _ context: Context, regions: Tensor, _ trace: inout Trace, on device: Device
  ) -> Tensor? {
    let positions = trace.positions
    let queryGradients = Matrix(trace.queryGradients.reserve(positions, keys.outputs))
    query.backward(
      Matrix(trace.hidden.reserve(positions, query.inputs)), queryGradients, on: device)
    columnSums(
      Matrix(trace.scorerGradients.reserve(context.images, keys.outputs)),
      into: scorer.weight.gradientPointer(), on: device)
    let keyGradients = Matrix(trace.keyGradients.reserve(context.keys.shape[0], keys.outputs))
    let valueGradients = trace.valueGradients.reserve(context.values.shape[0], embedding.outputs)
    Attention.addValueGradients(
      to: valueGradients, weights: Matrix(trace.weights.reserve(positions, context.regions)),
      sums: Matrix(trace.sumGradients.reserve(positions, embedding.outputs)), images: trace.imageOfPosition,
      seeing: trace.drawn?.regions, on: device)
    return withExtendedLifetime((context, regions)) {
      keys.backward(context.values.matrix, keyGradients, on: device)
      multiply(
        .plain(keyGradients), .plain(keys.weight.value.matrix), into: valueGradients, beta: 1, on: device)
      reluDropoutBackward(
        context.values.matrix, gradient: valueGradients, context.pass.regionDropout, on: device)
      let x = regions.reshaped([valueGradients.rows, embedding.inputs])
      guard context.pass.regionsLearn else {
        embedding.backward(x.matrix, Matrix(valueGradients), on: device)
        return nil
      }
      var dx = Tensor(uninitialized: x.shape)
      embedding.backward(x.matrix, Matrix(valueGradients), into: dx.mutableMatrix(), on: device)
      return dx.reshaped(regions.shape)
    }
  }
}
