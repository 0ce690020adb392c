public import Kernels
public import Tensors

/// Soft attention (Xu et al. 2015): at each step the decoder looks at the image's regions with the state it has, and what
/// it sees is added to the gates' sums, beside W_ih·v or alone:
///
///     zₜ = Attention(regions, hₜ₋₁),  context = W_z (βₜ zₜ) + W_ih v
///
/// β is 1, or a gate of how much what is seen counts: βₜ = σ(w_β·hₜ₋₁ + b_β).
///
/// It is hard where the pass says so (`AttentionSampling`): zₜ is then the value of one region, drawn with the weights as
/// probabilities.
public struct SoftAttention: Conditioning {
  /// Where it looks.
  public var attention: RegionAttention
  /// W_z [G·H, A].
  public var weight: Linear
  /// w_β [1, H], b_β; nil: β is 1.
  public var gate: Linear?
  /// W_ih·v; nil: attention alone.
  public var injection: GateInjection?

  /// `path`.to_hidden.weight, the parameters of `RegionAttention`, with `gated` `path`.gate, and those of `injection`.
  public init<E: Error>(
    _ path: String, _ sizes: RegionAttention.Sizes, sums: Int, gated: Bool, injection: GateInjection?,
    from source: (ParameterSpecification) throws(E) -> Tensor
  ) throws(E) {
    attention = try RegionAttention(path, sizes, from: source)
    weight = try Linear(
      path + ".to_hidden", inputs: sizes.values, outputs: sums, bias: false, gain: 0.5, from: source)
    gate = gated ? try Linear(path + ".gate", inputs: sizes.hidden, outputs: 1, from: source) : nil
    self.injection = injection
  }

  /// Calls `visit` with each parameter in order.
  public mutating func visitParameters<E: Error>(_ visit: (inout Parameter) throws(E) -> Void) throws(E) {
    try attention.visitParameters(visit)
    try weight.visitParameters(visit)
    try gate?.visitParameters(visit)
    try injection?.visitParameters(visit)
  }

  /// What is computed once an image.
  public struct Context: Sendable {
    let regions: RegionAttention.Context
    /// W_ih·v [N, G·H].
    let image: Tensor?
  }

  /// What steps leave, and memory.
  public struct Trace: ReusableTrace {
    /// Where it looked.
    public var attention = RegionAttention.Trace()
    var injection = GateInjection.Trace()
    // [P, A] and [P]: βz, β.
    var seen = Buffer()
    var gates = Buffer()
    var term = Buffer()
    var seenGradients = Buffer()
    var gateGradients = Buffer()
    // [P, H]: what β was computed from.
    var hidden = Buffer()
    var positions = 0

    /// Nothing traced yet.
    public init() {}
  }

  /// Values and keys of the regions, and W_ih·v.
  public func context(of images: ImageFeatures, _ pass: ConditioningPass, on device: Device) -> Context {
    Context(
      regions: attention.context(of: images, pass, on: device),
      image: injection.map { $0.context(of: images, pass, on: device) })
  }

  /// Before the first step of a training pass.
  public func begin(_ sequences: PackedSequences, into trace: inout Trace) {
    attention.begin(sequences, into: &trace.attention)
    trace.positions = sequences.positions
  }

  /// W_z βz + W_ih·v. Rows of one parent see the same: it is computed once a parent.
  public func term(
    _ context: Context, at step: ConditioningStep, into trace: inout Trace, on device: Device
  ) -> SharedRows? {
    guard let hidden = step.hidden else {
      return SharedRows(term(context, step, step.images, nil, &trace, device))
    }
    return hidden.imagesOfParents(step.images).withUnsafeBufferPointer {
      SharedRows(term(context, step, $0, hidden.matrix, &trace, device), rows: hidden.rows)
    }
  }

  private func term(
    _ context: Context, _ step: ConditioningStep, _ images: UnsafeBufferPointer<Int32>, _ hidden: Matrix?,
    _ trace: inout Trace, _ device: Device
  ) -> Matrix {
    let z = attention.attend(
      context.regions, images: images, hidden: hidden, positions: step.positions, into: &trace.attention,
      on: device)
    let seen = gated(z, hidden, step.positions, &trace, device)
    let result = trace.term.reserve(images.count, weight.outputs)
    weight.product(seen, into: result, on: device)
    if let image = context.image, let injection, injection.isAdded(at: step.index) {
      withExtendedLifetime(image) {
        addRows(images, of: image.matrix, to: result, on: device)
      }
    }
    return Matrix(result)
  }

  /// βz.
  private func gated(
    _ z: MutableMatrix, _ hidden: Matrix?, _ positions: Range<Int>?, _ trace: inout Trace, _ device: Device
  ) -> Matrix {
    guard let gate else { return Matrix(z) }
    let total = positions == nil ? z.rows : trace.positions
    let rows = positions ?? 0..<z.rows
    let betas = trace.gates.reserve(total, 1).rows(rows)
    let seen = trace.seen.reserve(total, z.columns).rows(rows)
    let bias = gate.bias!.value.pointer[0]
    if let hidden {
      gate.product(hidden, into: betas, on: device)
    } else {
      betas.base.update(repeating: 0, count: betas.rows)
    }
    if positions != nil {
      let kept = trace.hidden.reserve(total, gate.inputs).rows(rows)
      for row in 0..<rows.count {
        if let hidden {
          kept[row].update(from: hidden[row], count: gate.inputs)
        } else {
          kept[row].update(repeating: 0, count: gate.inputs)
        }
      }
    }
    for row in 0..<z.rows { betas[row][0] += bias }
    sigmoid(betas, on: device)
    for row in 0..<z.rows {
      for column in 0..<z.columns { seen[row][column] = betas[row][0] * z[row][column] }
    }
    return Matrix(seen)
  }

  /// α of the last training pass.
  public func attentionWeights(_ context: Context, _ trace: Trace) -> Tensor? {
    trace.attention.weights(regions: context.regions.regions)
  }

  /// Before the backward pass of the last step.
  public func beginBackward(
    _ context: Context, _ sequences: PackedSequences, _ outcome: PassOutcome, trace: inout Trace
  ) {
    attention.beginBackward(context.regions, sequences, outcome, &trace.attention)
  }

  /// δz = δsums W_z, and on to β, the regions and h.
  public mutating func termBackward(
    _ context: Context, at step: PackedStep, sums: Matrix, hidden: MutableMatrix?, trace: inout Trace,
    on device: Device
  ) {
    let dz = trace.seenGradients.reserve(step.rows, weight.inputs)
    weight.inputGradient(sums, into: dz, on: device)
    if let gate {
      let betas = trace.gates.reserve(trace.positions, 1).rows(step.range)
      let slopes = trace.gateGradients.reserve(trace.positions, 1).rows(step.range)
      let z = attention.sums(of: step, &trace.attention)
      for row in 0..<step.rows {
        let beta = betas[row][0]
        var slope: Float = 0
        for column in 0..<dz.columns {
          slope += dz[row][column] * z[row][column]
          dz[row][column] *= beta
        }
        slopes[row][0] = slope * beta * (1 - beta)
      }
      if let hidden {
        multiply(
          .plain(Matrix(slopes)), .plain(gate.weight.value.matrix), into: hidden, beta: 1, on: device)
      }
    }
    attention.attendBackward(
      context.regions, at: step, sums: Matrix(dz), hidden: hidden, trace: &trace.attention, on: device)
  }

  /// The gradients of W_z, β, the attention and W_ih.
  public mutating func backward(
    of images: ImageFeatures, _ context: Context, _ sequences: PackedSequences,
    _ gradients: ConditioningGradients, trace: inout Trace, on device: Device
  ) -> ImageFeatures {
    let positions = sequences.positions
    let seen =
      gate == nil
      ? attention.sums(positions, &trace.attention) : Matrix(trace.seen.reserve(positions, weight.inputs))
    weight.backward(seen, gradients.sums, on: device)
    if gate != nil {
      let hidden = Matrix(trace.hidden.reserve(positions, attention.query.inputs))
      gate!.backward(hidden, Matrix(trace.gateGradients.reserve(positions, 1)), on: device)
    }
    let regions = attention.finishBackward(
      context.regions, regions: images.regions!, &trace.attention, on: device)
    var result =
      injection?.backward(
        of: images, context.image!, sequences, gradients, trace: &trace.injection, on: device)
      ?? ImageFeatures(v: Tensor(zeros: images.v.shape))
    result.regions = regions
    return result
  }
}
