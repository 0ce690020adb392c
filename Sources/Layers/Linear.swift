public import Kernels
public import Tensors

/// y = x Wᵀ + b, W [K, C].
public struct Linear: Module {
  /// W [K, C].
  public var weight: Parameter
  /// b [K]; nil where there is none.
  public var bias: Parameter?

  /// `path`.weight uniform in ±gain·√(3/C) at first (LeCun 1998), `path`.bias zero. A gain of √2 suits a ReLU that
  /// follows (He et al. 2015).
  public init<E: Error>(
    _ path: String, inputs: Int, outputs: Int, bias: Bool = true, gain: Float = 1,
    from source: (ParameterSpecification) throws(E) -> Tensor
  ) throws(E) {
    let limit = gain * (3 / Float(max(1, inputs))).squareRoot()
    weight = try Parameter(path + ".weight", [outputs, inputs], .uniform(limit), from: source)
    self.bias = bias ? try Parameter(path + ".bias", [outputs], .zero, from: source) : nil
  }

  /// C.
  public var inputs: Int { weight.value.shape[1] }
  /// K.
  public var outputs: Int { weight.value.shape[0] }

  /// Calls `visit` with each parameter in order.
  public mutating func visitParameters<E: Error>(_ visit: (inout Parameter) throws(E) -> Void) throws(E) {
    try visit(&weight)
    if bias != nil { try visit(&bias!) }
  }

  /// y = x Wᵀ without the bias: x [rows, C] → y [rows, K].
  public func product(_ x: Matrix, into y: MutableMatrix, on device: Device) {
    multiply(.plain(x), .transposed(weight.value.matrix), into: y, on: device)
  }

  /// y = x Wᵀ + b: x [rows, C] → y [rows, K].
  public func forward(_ x: Matrix, into y: MutableMatrix, on device: Device) {
    product(x, into: y, on: device)
    if let bias { addBias(bias.value.pointer, to: y, on: device) }
  }

  /// δW = δyᵀ x, δb = Σ δy and, where `dx` [rows, C] is given, δx = δy W, of x [rows, C] and δy [rows, K]. The gradients
  /// are overwritten.
  public mutating func backward(
    _ x: Matrix, _ dy: Matrix, into dx: MutableMatrix? = nil, on device: Device
  ) {
    let dW = MutableMatrix(weight.gradientPointer(), rows: outputs, columns: inputs)
    multiply(.transposed(dy), .plain(x), into: dW, on: device)
    if let db = bias?.gradientPointer() { columnSums(dy, into: db, on: device) }
    if let dx { inputGradient(dy, into: dx, on: device) }
  }

  /// δx [rows, C] = δy W, of δy [rows, K].
  public func inputGradient(_ dy: Matrix, into dx: MutableMatrix, on device: Device) {
    multiply(.plain(dy), .plain(weight.value.matrix), into: dx, on: device)
  }
}
