public import Kernels
public import Tensors

/// The image as the states that sequences begin with (Mao et al. 2015 and Xu et al. 2015 each in their way), beside
/// another way in which it enters:
///
///     [h₀, c₀, …] = tanh(W_0 v + b_0), of all layers
///
/// or W_0 v + b_0 itself, where they are linear.
public struct InitialStates<Base: Conditioning>: Conditioning {
  /// The other way.
  public var base: Base
  /// W_0 [L·S·H, D], b_0.
  public var projection: Linear
  /// Whether no tanh follows.
  public let areLinear: Bool
  private let layers: Int
  private let states: Int

  /// `path`.weight and .bias, for `layers` layers of `states` states of `hidden` units.
  public init<E: Error>(
    _ path: String, features: Int, layers: Int, states: Int, hidden: Int, areLinear: Bool = false,
    beside base: Base,
    from source: (ParameterSpecification) throws(E) -> Tensor
  ) throws(E) {
    self.base = base
    self.areLinear = areLinear
    self.layers = layers
    self.states = states
    projection = try Linear(
      path, inputs: features, outputs: layers * states * hidden, gain: 0.5, from: source)
  }

  /// Calls `visit` with each parameter in order.
  public mutating func visitParameters<E: Error>(_ visit: (inout Parameter) throws(E) -> Void) throws(E) {
    try base.visitParameters(visit)
    try projection.visitParameters(visit)
  }

  /// What is computed once an image.
  public struct Context: Sendable {
    let base: Base.Context
    /// [N, L·S·H].
    let states: Tensor
  }

  /// The memory of both.
  public struct Trace: ReusableTrace {
    var base = Base.Trace()
    var gradients = Buffer()
    /// Nothing traced yet.
    public init() {}
  }

  /// The states, and the other way's context.
  public func context(of images: ImageFeatures, _ pass: ConditioningPass, on device: Device) -> Context {
    var states = Tensor(uninitialized: [images.count, projection.outputs])
    let memory = states.mutableMatrix()
    withExtendedLifetime(images) { projection.forward(images.v.matrix, into: memory, on: device) }
    if !areLinear { tanhRows(Matrix(memory), into: memory, on: device) }
    images.clearUnseen(memory)
    return Context(base: base.context(of: images, pass, on: device), states: states)
  }

  private var hidden: Int { projection.outputs / (layers * states) }

  private func columns(_ layer: Int, _ state: Int) -> Range<Int> {
    let place = layer * states + state
    return place * hidden..<(place + 1) * hidden
  }

  /// The states, layer by layer.
  public func initialStates(_ context: Context) -> [[Matrix]]? {
    let all = context.states.matrix
    return (0..<layers).map { layer in (0..<states).map { all.columns(columns(layer, $0)) } }
  }

  /// The other way's.
  public func firstInput(_ context: Context) -> Matrix? { base.firstInput(context.base) }

  /// The other way's.
  public func begin(_ sequences: PackedSequences, into trace: inout Trace) {
    base.begin(sequences, into: &trace.base)
  }

  /// The other way's.
  public func term(
    _ context: Context, at step: ConditioningStep, into trace: inout Trace, on device: Device
  ) -> SharedRows? { base.term(context.base, at: step, into: &trace.base, on: device) }

  /// The other way's.
  public func attentionWeights(_ context: Context, _ trace: Trace) -> Tensor? {
    base.attentionWeights(context.base, trace.base)
  }

  /// The other way's.
  public func beginBackward(
    _ context: Context, _ sequences: PackedSequences, _ outcome: PassOutcome, trace: inout Trace
  ) {
    base.beginBackward(context.base, sequences, outcome, trace: &trace.base)
  }

  /// The other way's.
  public mutating func termBackward(
    _ context: Context, at step: PackedStep, sums: Matrix, hidden: MutableMatrix?, trace: inout Trace,
    on device: Device
  ) {
    base.termBackward(context.base, at: step, sums: sums, hidden: hidden, trace: &trace.base, on: device)
  }

  /// The gradients of W_0 and b_0, and the other way's: δsums = δstate·(1 − state²), or δstate.
  public mutating func backward(
    of images: ImageFeatures, _ context: Context, _ sequences: PackedSequences,
    _ gradients: ConditioningGradients, trace: inout Trace, on device: Device
  ) -> ImageFeatures {
    var result = base.backward(
      of: images, context.base, sequences, gradients, trace: &trace.base, on: device)
    let sums = trace.gradients.reserve(images.count, projection.outputs)
    for (layer, states) in gradients.initialStates.enumerated() {
      for (state, gradient) in states.enumerated() {
        scatterAdd(gradient, to: sequences.imageRows, into: sums.columns(columns(layer, state)), on: device)
      }
    }
    images.clearUnseen(sums)
    var dv = Tensor(uninitialized: images.v.shape)
    withExtendedLifetime((context, images)) {
      for row in 0..<(areLinear ? 0 : sums.rows) {
        let state = context.states.matrix[row]
        for column in 0..<sums.columns { sums[row][column] *= 1 - state[column] * state[column] }
      }
      projection.backward(images.v.matrix, Matrix(sums), into: dv.mutableMatrix(), on: device)
    }
    addScaled(count: dv.count, 1, dv.pointer, to: result.v.mutablePointer(), on: device)
    return result
  }
}
