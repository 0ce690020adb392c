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
  public func product(
    rows: Int, _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, pool: ThreadPool = .shared
  ) {
    gemm(
      m: rows, n: outputs, k: inputs, x, lda: inputs, weight.value.pointer, ldb: inputs, transposeB: true, y,
      ldc: outputs, pool: pool)
  }

  /// y = x Wᵀ + b: x [rows, C] → y [rows, K].
  public func forward(
    rows: Int, _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, pool: ThreadPool = .shared
  ) {
    product(rows: rows, x, into: y, pool: pool)
    if let bias { addBias(rows: rows, columns: outputs, y, bias: bias.value.pointer, pool: pool) }
  }

  /// δW = δyᵀ x, δb = Σ δy and, where `dx` is given, δx = δy W. The gradients are overwritten.
  public mutating func backward(
    rows: Int, _ x: UnsafePointer<Float>, _ dy: UnsafePointer<Float>,
    into dx: UnsafeMutablePointer<Float>? = nil,
    pool: ThreadPool = .shared
  ) {
    let (c, k) = (inputs, outputs)
    gemm(
      m: k, n: c, k: rows, dy, lda: k, transposeA: true, x, ldb: c, weight.gradientPointer(), ldc: c,
      pool: pool)
    if let db = bias?.gradientPointer() { columnSums(rows: rows, columns: k, dy, into: db, pool: pool) }
    if let dx { inputGradient(rows: rows, dy, into: dx, pool: pool) }
  }

  /// δx = δy W.
  public func inputGradient(
    rows: Int, _ dy: UnsafePointer<Float>, into dx: UnsafeMutablePointer<Float>, pool: ThreadPool = .shared
  ) {
    gemm(
      m: rows, n: inputs, k: outputs, dy, lda: outputs, weight.value.pointer, ldb: inputs, dx, ldc: inputs,
      pool: pool)
  }
}
