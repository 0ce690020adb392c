public import Kernels
public import Tensors

/// At which time steps the image enters.
public enum Injection: String, Codable, Sendable, CaseIterable {
  /// W_ih·v is added at every step.
  case everyStep
  /// W_ih·v is added at the first step only.
  case firstStep
  /// It is not added: the image is told of another way.
  case never
}

/// W_ih·v in the gates' sums, at every step or at the first only.
public struct GateInjection: Conditioning {
  /// W_ih [G·H, D].
  public var weight: Linear
  /// When it is added.
  public let injection: Injection

  /// `path`.weight of a small start: training begins almost blind.
  public init<E: Error>(
    _ path: String, features: Int, sums: Int, _ injection: Injection,
    from source: (ParameterSpecification) throws(E) -> Tensor
  ) throws(E) {
    weight = try Linear(path, inputs: features, outputs: sums, bias: false, gain: 0.5, from: source)
    self.injection = injection
  }

  /// Calls `visit` with W_ih.
  public mutating func visitParameters<E: Error>(_ visit: (inout Parameter) throws(E) -> Void) throws(E) {
    try weight.visitParameters(visit)
  }

  /// The gradient's memory.
  public struct Trace: ReusableTrace {
    var gradients = Buffer()
    /// Nothing traced yet.
    public init() {}
  }

  /// W_ih·v [N, G·H].
  public func context(of images: ImageFeatures, _ pass: ConditioningPass, on device: Device) -> Tensor {
    precondition(images.v.shape[1] == weight.inputs, "v is \(images.v.shape)")
    var sums = Tensor(uninitialized: [images.count, weight.outputs])
    if let stored = weight.weight.value.stored {
      StoredLinear(stored)(images.v.matrix, into: sums.mutableMatrix(), on: device)
    } else {
      weight.product(images.v.matrix, into: sums.mutableMatrix(), on: device)
    }
    return sums
  }

  /// W_ih·v of each row's image [rows, G·H], where it is added.
  public func term(
    _ context: Tensor, at step: ConditioningStep, into trace: inout Trace, on device: Device
  ) -> SharedRows? {
    guard isAdded(at: step.index) else { return nil }
    return SharedRows(
      Matrix(context.pointer, rows: context.shape[0], columns: weight.outputs),
      rows: step.images.baseAddress)
  }

  /// Whether W_ih·v is added at step t.
  public func isAdded(at t: Int) -> Bool { injection == .everyStep || (injection == .firstStep && t == 0) }

  /// δ(W_ih·v) of an image is the sum of δsums over the positions that saw it.
  public mutating func backward(
    of images: ImageFeatures, _ context: Tensor, _ sequences: PackedSequences,
    _ gradients: ConditioningGradients, trace: inout Trace, on device: Device
  ) -> ImageFeatures {
    let sums = gradients.sums
    let seen = injection == .everyStep ? sequences.positions : sequences.count
    let gradients = trace.gradients.reserve(images.count, sums.columns)
    scatterAdd(sums.rows(0..<seen), to: sequences.imageOfPosition, into: gradients, on: device)
    var dv = Tensor(uninitialized: images.v.shape)
    weight.backward(images.v.matrix, Matrix(gradients), into: dv.mutableMatrix(), on: device)
    return withExtendedLifetime(images) { ImageFeatures(v: dv) }
  }
}
