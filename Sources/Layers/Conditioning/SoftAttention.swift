public import Kernels
public import Tensors

/// Soft attention (Xu et al. 2015): at each step the decoder looks at the image's regions with the state it has, and what
/// it sees is added to the gates' sums, beside W_ih·v or alone:
///
///     zₜ = Attention(regions, hₜ₋₁),  context = W_z (βₜ zₜ) + W_ih v
///
/// β is 1, or a gate of how much what is seen counts, βₜ = σ(W_β hₜ₋₁ + b_β), of all its numbers or one for each.
///
/// It is hard where the pass says so (`AttentionSampling`): zₜ is then the value of one region, drawn with the weights as
/// probabilities.
public struct SoftAttention: Conditioning {
  /// Where it looks.
  public var attention: RegionAttention
  /// W_z [G·H, A].
  public var weight: Linear
  /// W_β [1, H] or [A, H], b_β; nil: β is 1.
  public var gate: Linear?
  /// W_ih·v; nil: attention alone.
  public var injection: GateInjection?

  /// `path`.to_hidden.weight, the parameters of `RegionAttention`, with gates (1 or A of them) `path`.gate, and those of
  /// `injection`.
  public init<E: Error>(
    _ path: String, _ sizes: RegionAttention.Sizes, sums: Int, gates: Int, injection: GateInjection?,
    from source: (ParameterSpecification) throws(E) -> Tensor
  ) throws(E) {
    attention = try RegionAttention(path, sizes, from: source)
    weight = try Linear(
      path + ".to_hidden", inputs: sizes.values, outputs: sums, bias: false, gain: 0.5, from: source)
    gate =
      gates > 0 ? try Linear(path + ".gate", inputs: sizes.hidden, outputs: gates, from: source) : nil
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
    // [P, A]: βz; [P, 1 or A]: β.
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
    let betas = trace.gates.reserve(total, gate.outputs).rows(rows)
    let seen = trace.seen.reserve(total, z.columns).rows(rows)
    if let hidden {
      gate.product(hidden, into: betas, on: device)
    } else {
      betas.base.update(repeating: 0, count: betas.rows * betas.columns)
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
    addBias(gate.bias!.value.pointer, to: betas, on: device)
    sigmoid(betas, on: device)
    for row in 0..<z.rows {
      let (beta, z, seen) = (betas[row], z[row], seen[row])
      if gate.outputs == 1 {
        for column in 0..<weight.inputs { seen[column] = beta[0] * z[column] }
      } else {
        for column in 0..<weight.inputs { seen[column] = beta[column] * z[column] }
      }
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
      let betas = trace.gates.reserve(trace.positions, gate.outputs).rows(step.range)
      let slopes = trace.gateGradients.reserve(trace.positions, gate.outputs).rows(step.range)
      let z = attention.sums(of: step, &trace.attention)
      for row in 0..<step.rows {
        gateBackward(Matrix(betas)[row], z[row], dz: dz[row], slopes: slopes[row], gates: gate.outputs)
      }
      if let hidden {
        multiply(
          .plain(Matrix(slopes)), .plain(gate.weight.value.matrix), into: hidden, beta: 1, on: device)
      }
    }
    attention.attendBackward(
      context.regions, at: step, sums: Matrix(dz), hidden: hidden, trace: &trace.attention, on: device)
  }

  /// δz becomes βδz; slopes are those of what β is the sigmoid of.
  private func gateBackward(
    _ betas: UnsafePointer<Float>, _ z: UnsafePointer<Float>, dz: UnsafeMutablePointer<Float>,
    slopes: UnsafeMutablePointer<Float>, gates: Int
  ) {
    var shared: Float = 0
    for column in 0..<weight.inputs {
      let slope = dz[column] * z[column]
      guard gates > 1 else {
        shared += slope
        dz[column] *= betas[0]
        continue
      }
      let beta = betas[column]
      slopes[column] = slope * beta * (1 - beta)
      dz[column] *= beta
    }
    if gates == 1 { slopes[0] = shared * betas[0] * (1 - betas[0]) }
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
      gate!.backward(
        hidden, Matrix(trace.gateGradients.reserve(positions, gate!.outputs)), on: device)
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
