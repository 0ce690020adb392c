public import Kernels
public import Tensors

/// A 3×3 convolution of stride 1 and padding 1 with ReLU and, where `shape` says so, a 2×2 max-pool:
/// y = pool(max(0, w ∗ x + b)), w [K, C, 3, 3], maps [N, H, W, C].
///
/// The kernels work on transformed weights (Lavin & Gray 2016), made once after each update of w. δw is
/// Gᵀ(Σ VᵀδM)G and δx is B(δM·Uᵀ)Bᵀ: the adjoint of the forward algorithm, step by step.
public struct Convolution2D: Module {
  /// w [K, C, 3, 3], torch's order.
  public var weight: Parameter
  /// b [K].
  public var bias: Parameter
  /// C, K, and whether a pool follows.
  public let shape: ConvolutionShape

  /// `path`.weight uniform in ±√(6/9C) at first (He et al. 2015), `path`.bias zero.
  public init<E: Error>(
    _ path: String, _ shape: ConvolutionShape, from source: (ParameterSpecification) throws(E) -> Tensor
  ) throws(E) {
    let (c, k) = (shape.inputChannels, shape.outputChannels)
    let limit = (6 / Float(9 * max(1, c))).squareRoot()
    weight = try Parameter(path + ".weight", [k, c, 3, 3], .uniform(limit), from: source)
    bias = try Parameter(path + ".bias", [k], .zero, from: source)
    self.shape = shape
  }

  /// Calls `visit` with each parameter in order.
  public mutating func visitParameters<E: Error>(_ visit: (inout Parameter) throws(E) -> Void) throws(E) {
    try visit(&weight)
    try visit(&bias)
  }

  /// What the passes share beside the maps themselves; its memory serves step after step.
  public struct Trace: Sendable {
    // The transformed weights: 36·C·K scalars and a little.
    var transformed = Buffer()
    // Which pixel each pooled one was, a byte each.
    var chosen: [UInt8] = []

    /// Nothing traced yet.
    public init() {}
  }

  /// Transforms the weights: before the first forward pass and after each update.
  public func transform(
    into trace: inout Trace, workspace: ConvolutionWorkspace, pool: ThreadPool = .shared
  ) {
    let source = weight.value
    transformWeights(
      shape: shape, into: trace.transformed.reserve(shape.transformedCount), workspace: workspace, pool: pool
    ) { range, memory in
      memory.update(from: source.pointer + range.lowerBound, count: range.count)
    }
  }

  /// y of N maps x [N, H, W, C], with transformed weights.
  public func forward(
    images: Int, height: Int, width: Int, _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>,
    _ trace: inout Trace, workspace: ConvolutionWorkspace, pool: ThreadPool = .shared
  ) {
    let (u, b) = (trace.transformed.pointer, bias.value)
    guard shape.pool else {
      convolve(
        x, images: images, height: height, width: width, shape: shape, transformed: u, bias: b.pointer,
        into: y,
        workspace: workspace, pool: pool)
      return
    }
    let size = shape.outputSize(height: height, width: width)
    let count = images * size.height * size.width * shape.outputChannels
    if trace.chosen.count < count { trace.chosen = [UInt8](repeating: 0, count: count) }
    trace.chosen.withUnsafeMutableBufferPointer { chosen in
      guard let choices = chosen.baseAddress else { return }
      convolveChoosing(
        x, images: images, height: height, width: width, shape: shape, transformed: u, bias: b.pointer,
        into: y,
        chosen: choices, workspace: workspace, pool: pool)
    }
  }

  /// δw, δb and, where `dx` is given, δx, from δy, the x and y of the last forward pass, and its trace.
  /// - Parameter accumulate: add to δw and δb: these are further images of one batch.
  public mutating func backward(
    images: Int, height: Int, width: Int, _ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>,
    _ dy: UnsafePointer<Float>, into dx: UnsafeMutablePointer<Float>? = nil, accumulate: Bool = false,
    _ trace: Trace, workspace: ConvolutionWorkspace, pool: ThreadPool = .shared
  ) {
    let gradients = ConvolutionGradients(
      weight: weight.gradientPointer(), bias: bias.gradientPointer(), input: dx, accumulate: accumulate)
    trace.chosen.withUnsafeBufferPointer { chosen in
      convolveBackward(
        x, images: images, height: height, width: width, shape: shape,
        OutputGradient(dy, output: y, chosen: shape.pool ? chosen.baseAddress : nil),
        transformed: trace.transformed.pointer, into: gradients, workspace: workspace, pool: pool)
    }
  }
}
