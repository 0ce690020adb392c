public import Kernels
public import Tensors

/// A fully connected layer with its activation and dropout: y = dropout(f(x Wᵀ + b)), of C to K scalars.
///
/// W has `pieces` rows a unit: those of maxout are K rows apart. A parametric ReLU has one slope a layer, as torch's
/// has unless it is told otherwise.
public struct ActivatedLinear: Module {
  /// W [pieces·K, C] and b [pieces·K].
  public var linear: Linear
  /// f.
  public let activation: ActivationName
  /// The learned slope [1] of a parametric ReLU; nil of any other.
  public var slope: Parameter?

  /// `path`.weight and .bias as `Linear` has them, of a gain that suits `activation`; `slopePath`.weight.
  public init<E: Error>(
    _ path: String, slopePath: String, inputs: Int, outputs: Int, activation: ActivationName = .relu,
    from source: (ParameterSpecification) throws(E) -> Tensor
  ) throws(E) {
    linear = try Linear(
      path, inputs: inputs, outputs: activation.pieces * outputs, gain: activation.gain, from: source)
    self.activation = activation
    slope =
      activation == .prelu
      ? try Parameter(slopePath + ".weight", [1], .constant(activation.slope), from: source) : nil
  }

  /// C.
  public var inputs: Int { linear.inputs }
  /// K.
  public var outputs: Int { linear.outputs / activation.pieces }

  /// Calls `visit` with each parameter in order.
  public mutating func visitParameters<E: Error>(_ visit: (inout Parameter) throws(E) -> Void) throws(E) {
    try linear.visitParameters(visit)
    if slope != nil { try visit(&slope!) }
  }

  /// What the backward pass needs of a forward pass.
  public struct Trace: Sendable {
    // x, the sums x Wᵀ + b and y; of ReLU no sums: y tells where they were above zero.
    let input: Tensor
    let sums: Tensor?
    let output: Tensor
    let dropout: Dropout
  }

  private var slopeBelowZero: Float { slope?.value[0] ?? activation.slope }

  /// y [rows, K] of x [rows, C], and what its backward pass needs.
  public func forward(_ x: Tensor, _ dropout: Dropout, on device: Device) -> (output: Tensor, trace: Trace) {
    let rows = x.shape[0]
    var y = Tensor(uninitialized: [rows, outputs])
    let memory = y.mutableMatrix()
    guard activation != .relu else {
      withExtendedLifetime(x) { linear.product(x.matrix, into: memory, on: device) }
      addBiasReLUDropout(linear.bias!.value.pointer, to: memory, dropout, on: device)
      return (y, Trace(input: x, sums: nil, output: y, dropout: dropout))
    }
    var sums = Tensor(uninitialized: [rows, linear.outputs])
    let sumsMemory = sums.mutableMatrix()
    withExtendedLifetime(x) { linear.forward(x.matrix, into: sumsMemory, on: device) }
    activate(Matrix(sumsMemory), activation, slope: slopeBelowZero, into: memory, on: device)
    dropout.apply(Matrix(memory), into: memory, on: device)
    return (y, Trace(input: x, sums: sums, output: y, dropout: dropout))
  }

  /// Writes the gradient of every parameter and, where `dx` [rows, C] is given, δx, of δy [rows, K], which serves as
  /// memory.
  public mutating func backward(
    _ dy: inout Tensor, _ trace: Trace, into dx: MutableMatrix? = nil, on device: Device
  ) {
    precondition(dy.shape == trace.output.shape, "\(dy.shape) against \(trace.output.shape)")
    let gradient = dy.mutableMatrix()
    let x = trace.input
    guard let sums = trace.sums else {
      withExtendedLifetime((x, trace.output)) {
        reluDropoutBackward(trace.output.matrix, gradient: gradient, trace.dropout, on: device)
        linear.backward(x.matrix, Matrix(gradient), into: dx, on: device)
      }
      return
    }
    trace.dropout.apply(Matrix(gradient), into: gradient, on: device)
    var wide = Tensor(uninitialized: activation.pieces == 1 ? [0] : sums.shape)
    let dSums = activation.pieces == 1 ? gradient : wide.mutableMatrix()
    withExtendedLifetime((x, sums)) {
      slope?.gradientPointer()[0] = negativeProducts(sums.matrix, Matrix(gradient), on: device)
      activationBackward(
        sums.matrix, gradient: gradient, activation, slope: slopeBelowZero, into: dSums, on: device)
      linear.backward(x.matrix, Matrix(dSums), into: dx, on: device)
    }
    withExtendedLifetime(wide) {}
  }
}
