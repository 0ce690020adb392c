public import Kernels
public import Tensors

/// A 3×3 convolution of stride 1 and padding 1 with ReLU and, where `descriptor` says so, a 2×2 max-pool:
/// y = pool(max(0, w ∗ x + b)), w [K, C, 3, 3], maps [N, H, W, C]. There may be a batch normalisation before ReLU.
///
/// The kernels work on transformed weights (Lavin & Gray 2016), made once after each update of w. δw is
/// Gᵀ(Σ VᵀδM)G and δx is B(δM·Uᵀ)Bᵀ: the adjoint of the forward algorithm, step by step.
public struct Convolution2D: Module {
  /// w [K, C, 3, 3], torch's order.
  public var weight: Parameter
  /// b [K].
  public var bias: Parameter
  /// What is between the sums and ReLU; nil: nothing.
  public var normalization: BatchNormalization?
  /// C, K, and whether a pool follows.
  public let descriptor: ConvolutionDescriptor

  /// `path`.weight uniform in ±√(6/9C) at first (He et al. 2015), `path`.bias zero.
  /// - Parameter normalization: the path of a batch normalisation; nil: there is none.
  public init<E: Error>(
    _ path: String, _ descriptor: ConvolutionDescriptor, normalization: String? = nil,
    from source: (ParameterSpecification) throws(E) -> Tensor
  ) throws(E) {
    let (c, k) = (descriptor.inputChannels, descriptor.outputChannels)
    let limit = (6 / Float(9 * max(1, c))).squareRoot()
    weight = try Parameter(path + ".weight", [k, c, 3, 3], .uniform(limit), from: source)
    bias = try Parameter(path + ".bias", [k], .zero, from: source)
    self.normalization = try normalization.map { (path) throws(E) in
      try BatchNormalization(path, channels: k, from: source)
    }
    self.descriptor = descriptor
  }

  /// Calls `visit` with each parameter in order.
  public mutating func visitParameters<E: Error>(_ visit: (inout Parameter) throws(E) -> Void) throws(E) {
    try visit(&weight)
    try visit(&bias)
    try normalization?.visitParameters(visit)
  }

  /// What the passes share beside the maps themselves; its memory serves step after step.
  public struct Trace: Sendable {
    // The transformed weights: 36·C·K scalars and a little.
    var transformed = Buffer()
    // Which pixel each pooled one was, a byte each.
    var chosen: [UInt8] = []
    // The sums before a normalisation, what it makes of them where a pool follows, and the gradient of either.
    var sums = Buffer()
    var activated = Buffer()
    var gradient = Buffer()
    var normalization = BatchNormalization.Trace()

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
  /// - Parameter statistics: those that a batch normalisation goes by.
  public func forward(
    _ x: Maps, _ statistics: BatchNormalization.Statistics = .running, into y: MutableMaps,
    _ trace: inout Trace, workspace: ConvolutionWorkspace, on device: Device
  ) {
    let parameters = ConvolutionParameters(
      transformed: trace.transformed.pointer, bias: bias.value.pointer)
    if descriptor.pool, trace.chosen.count < y.shape.count {
      trace.chosen = [UInt8](repeating: 0, count: y.shape.count)
    }
    if let normalization {
      let linear = descriptor.linear
      let sums = trace.sums.reserve(linear.output(of: x.shape))
      convolve(x, linear, parameters, into: sums, workspace: workspace, on: device)
      let activated = descriptor.pool ? trace.activated.reserve(sums.shape) : y
      normalization.forward(
        Matrix(sums.rows), statistics, into: activated.rows, &trace.normalization, on: device)
      guard descriptor.pool else { return }
      trace.chosen.withUnsafeMutableBufferPointer { chosen in
        guard let choices = chosen.baseAddress else { return }
        maxPool(Maps(activated), into: y, chosen: choices, on: device)
      }
      return
    }
    guard descriptor.pool else {
      return convolve(x, descriptor, parameters, into: y, workspace: workspace, on: device)
    }
    trace.chosen.withUnsafeMutableBufferPointer { chosen in
      guard let choices = chosen.baseAddress else { return }
      convolveChoosing(
        x, descriptor, parameters, into: y, chosen: choices, workspace: workspace, on: device)
    }
  }

  /// Moves the running statistics of a normalisation towards those of the batch that the last forward pass saw.
  public mutating func follow(_ trace: Trace) { normalization?.follow(trace.normalization) }

  /// δw, δb and, where `dx` [N, H, W, C] is given, δx, from the x of the last forward pass, δy and y [N, H', W', K], and
  /// the pass's trace.
  /// - Parameter accumulate: add to δw and δb: these are further images of one batch.
  public mutating func backward(
    _ x: Maps, _ gradient: OutputGradient, into dx: UnsafeMutablePointer<Float>? = nil,
    accumulate: Bool = false, _ trace: inout Trace, workspace: ConvolutionWorkspace, on device: Device
  ) {
    let gradients = ConvolutionGradients(
      weight: weight.gradientPointer(), bias: bias.gradientPointer(), input: dx, accumulate: accumulate)
    let linear = descriptor.linear
    if normalization != nil {
      let dSums = trace.gradient.reserve(linear.output(of: x.shape))
      passActivation(gradient, trace, into: dSums, on: device)
      let sums = MapRows(trace.sums.pointer, dSums.shape).matrix
      normalization!.backward(
        sums, dSums.rows, accumulate: accumulate, trace.normalization, on: device)
      return convolveBackward(
        x, linear, OutputGradient(UnsafePointer(dSums.base), output: nil),
        transformed: trace.transformed.pointer, into: gradients, workspace: workspace, on: device)
    }
    trace.chosen.withUnsafeBufferPointer { chosen in
      convolveBackward(
        x, descriptor, gradient.choosing(descriptor.pool ? chosen.baseAddress : nil),
        transformed: trace.transformed.pointer, into: gradients, workspace: workspace, on: device)
    }
  }

  /// The gradient of what a normalisation gave, before ReLU and pool.
  private func passActivation(
    _ gradient: OutputGradient, _ trace: Trace, into dy: MutableMaps, on device: Device
  ) {
    guard descriptor.pool else {
      dy.base.update(from: gradient.gradient, count: dy.shape.count)
      let y = MapRows(gradient.output!, dy.shape).matrix
      return reluDropoutBackward(y, gradient: dy.rows, .none, on: device)
    }
    trace.chosen.withUnsafeBufferPointer { chosen in
      guard let choices = chosen.baseAddress else { return }
      maxPoolBackward(gradient.gradient, chosen: choices, into: dy, on: device)
    }
  }
}

/// Maps as a matrix with a row for each pixel of each image.
private struct MapRows {
  let matrix: Matrix

  init(_ base: UnsafePointer<Float>, _ shape: MapShape) {
    matrix = Matrix(base, rows: shape.images * shape.height * shape.width, columns: shape.channels)
  }
}

extension MutableMaps {
  /// A row for each pixel of each image.
  fileprivate var rows: MutableMatrix {
    MutableMatrix(base, rows: shape.images * shape.height * shape.width, columns: shape.channels)
  }
}
