internal import CKernels

/// The gradient of the loss by what a convolution gave, and what tells where it passes ReLU and pool.
public struct OutputGradient {
  /// δy [N, H', W', K], of the pooled map where a pool follows.
  public let gradient: UnsafePointer<Float>
  /// y [N, H', W', K]; nil where no ReLU follows.
  public let output: UnsafePointer<Float>?
  /// Which pixel each pooled one was, as `convolve` noted; nil without a pool.
  let chosen: UnsafePointer<UInt8>?

  /// δy of y [N, H', W', K], which is nil without ReLU, and with a pool the choices [N, H', W', K] of `convolve`.
  public init(
    _ gradient: UnsafePointer<Float>, output: UnsafePointer<Float>?, chosen: UnsafePointer<UInt8>? = nil
  ) {
    self.gradient = gradient
    self.output = output
    self.chosen = chosen
  }

  /// The same with the choices that `convolveChoosing` noted.
  public func choosing(_ chosen: UnsafePointer<UInt8>?) -> OutputGradient {
    OutputGradient(gradient, output: output, chosen: chosen)
  }
}

/// Where the gradients of a convolution go.
public struct ConvolutionGradients {
  let weight: UnsafeMutablePointer<Float>
  let bias: UnsafeMutablePointer<Float>
  let input: UnsafeMutablePointer<Float>?
  let accumulate: Bool

  /// Memory for δw [K, C, 3, 3], δb [K] and, where something before learns, δx [N, H, W, C], which is overwritten.
  /// - Parameter accumulate: add to δw and δb instead of overwriting them.
  public init(
    weight: UnsafeMutablePointer<Float>, bias: UnsafeMutablePointer<Float>,
    input: UnsafeMutablePointer<Float>? = nil, accumulate: Bool = false
  ) {
    self.weight = weight
    self.bias = bias
    self.input = input
    self.accumulate = accumulate
  }
}

/// As `convolve`, with a pool that notes which of its four pixels each output was, in reading order, the first of
/// equals; 4 where ReLU passes nothing. That is all the backward pass needs of the unpooled map.
public func convolveChoosing(
  _ x: Maps, _ convolution: ConvolutionDescriptor, _ parameters: ConvolutionParameters,
  into y: MutableMaps, chosen: UnsafeMutablePointer<UInt8>, workspace: ConvolutionWorkspace, on device: Device
) {
  precondition(convolution.pool, "nothing to choose without a pool")
  precondition(y.shape == convolution.output(of: x.shape), "\(x.shape) by \(convolution) into \(y.shape)")
  let step = mapsAtOnce(x.shape, convolution)
  let unpooled = convolution.unpooled
  let map = workspace.map(floats: step * unpooled.output(of: x.shape).imageCount)
  let choose = device.kernels.max_pool_choice_row!
  let rowCount = y.shape.width * y.shape.channels
  for first in stride(from: 0, to: x.shape.images, by: step) {
    let part = x.images(first..<min(x.shape.images, first + step))
    let full = MutableMaps(map, unpooled.output(of: part.shape))
    convolve(part, unpooled, parameters, into: full, workspace: workspace, on: device)
    let image = full.shape.image
    device.pool.run(part.shape.images * y.shape.height) { row in
      let at = (first * y.shape.height + row) * rowCount
      choose(
        full[row / y.shape.height], image, Int32(row % y.shape.height), y.base + at, chosen + at)
    }
  }
}

/// The backward pass of `convolve`: gradients of weights, bias and input from those of the output.
///
/// - Parameters:
///   - x: [N, H, W, C], what `convolve` read.
///   - gradient: δy and where it passes.
///   - transformed: the weights as `convolve` had them.
///   - gradients: what is written.
public func convolveBackward(
  _ x: Maps, _ convolution: ConvolutionDescriptor, _ gradient: OutputGradient,
  transformed: UnsafePointer<Float>, into gradients: ConvolutionGradients, workspace: ConvolutionWorkspace,
  on device: Device
) {
  precondition(convolution.pool == (gradient.chosen != nil), "choices belong to a pool")
  precondition(!x.shape.isEmpty && x.shape.channels == convolution.inputChannels, "\(x.shape)")
  if convolution.usesWinograd {
    WinogradBackwardPlan(x.shape, convolution, device).run(
      x, gradient, transformed: transformed, into: gradients, workspace: workspace)
  } else {
    DirectBackward(x.shape, convolution, device).run(
      x, gradient, weights: transformed, into: gradients, workspace: workspace)
  }
}

/// Floats of working memory that the forward and backward passes of one training step take from their workspace.
public func trainingScratchCount(
  _ maps: MapShape, _ convolution: ConvolutionDescriptor, on device: Device
) -> Int {
  let full = convolution.unpooled.output(of: maps).imageCount
  let map = convolution.pool ? mapsAtOnce(maps, convolution) * full : 0
  guard convolution.usesWinograd else {
    return map + DirectBackward(maps, convolution, device).scratchCount
  }
  let forward = WinogradPlan(WinogradTiles(maps, convolution, device))
  let backward = WinogradBackwardPlan(maps, convolution, device)
  return map
    + max(
      forward.products.scratchCount * (forward.blockPerThread ? device.pool.threads : 1),
      backward.scratchCount)
}

/// As many images at a time as leave the unpooled maps in the caches.
private func mapsAtOnce(_ maps: MapShape, _ convolution: ConvolutionDescriptor) -> Int {
  let full = convolution.unpooled.output(of: maps).imageCount
  return max(1, min(maps.images, 4_000_000 / max(1, full)))
}
