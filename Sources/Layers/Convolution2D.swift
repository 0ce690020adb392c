public import Kernels
public import Tensors

/// A 3×3 convolution of stride 1 and padding 1 with ReLU and, where `descriptor` says so, a 2×2 max-pool:
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
  public let descriptor: ConvolutionDescriptor

  /// `path`.weight uniform in ±√(6/9C) at first (He et al. 2015), `path`.bias zero.
  public init<E: Error>(
    _ path: String, _ descriptor: ConvolutionDescriptor,
    from source: (ParameterSpecification) throws(E) -> Tensor
  ) throws(E) {
    let (c, k) = (descriptor.inputChannels, descriptor.outputChannels)
    let limit = (6 / Float(9 * max(1, c))).squareRoot()
    weight = try Parameter(path + ".weight", [k, c, 3, 3], .uniform(limit), from: source)
    bias = try Parameter(path + ".bias", [k], .zero, from: source)
    self.descriptor = descriptor
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
  public func transform(into trace: inout Trace, workspace: ConvolutionWorkspace, on device: Device) {
    let source = weight.value
    let memory = trace.transformed.reserve(descriptor.transformedCount)
    transformWeights(descriptor, into: memory, workspace: workspace, on: device) { range, memory in
      memory.update(from: source.pointer + range.lowerBound, count: range.count)
    }
  }

  /// y [N, H', W', K] of maps x [N, H, W, C], with transformed weights.
  public func forward(
    _ x: Maps, into y: MutableMaps, _ trace: inout Trace, workspace: ConvolutionWorkspace, on device: Device
  ) {
    let parameters = ConvolutionParameters(
      transformed: trace.transformed.pointer, bias: bias.value.pointer)
    guard descriptor.pool else {
      return convolve(x, descriptor, parameters, into: y, workspace: workspace, on: device)
    }
    let count = y.shape.count
    if trace.chosen.count < count { trace.chosen = [UInt8](repeating: 0, count: count) }
    trace.chosen.withUnsafeMutableBufferPointer { chosen in
      guard let choices = chosen.baseAddress else { return }
      convolveChoosing(
        x, descriptor, parameters, into: y, chosen: choices, workspace: workspace, on: device)
    }
  }

  /// δw, δb and, where `dx` [N, H, W, C] is given, δx, from the x of the last forward pass, δy and y [N, H', W', K], and
  /// the pass's trace.
  /// - Parameter accumulate: add to δw and δb: these are further images of one batch.
  public mutating func backward(
    _ x: Maps, _ gradient: OutputGradient, into dx: UnsafeMutablePointer<Float>? = nil,
    accumulate: Bool = false, _ trace: Trace, workspace: ConvolutionWorkspace, on device: Device
  ) {
    let gradients = ConvolutionGradients(
      weight: weight.gradientPointer(), bias: bias.gradientPointer(), input: dx, accumulate: accumulate)
    trace.chosen.withUnsafeBufferPointer { chosen in
      convolveBackward(
        x, descriptor, gradient.choosing(descriptor.pool ? chosen.baseAddress : nil),
        transformed: trace.transformed.pointer, into: gradients, workspace: workspace, on: device)
    }
  }
}
