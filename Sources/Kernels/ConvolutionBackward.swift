internal import CKernels
internal import Tensors

/// The gradient of the loss by what a convolution gave, and what tells where it passes ReLU and pool.
public struct OutputGradient {
  /// δy [N, H', W', K], of the pooled map where a pool follows.
  let gradient: UnsafePointer<Float>
  /// y [N, H', W', K].
  let output: UnsafePointer<Float>
  /// Which pixel each pooled one was, as `convolve` noted; nil without a pool.
  let chosen: UnsafePointer<UInt8>?

  /// δy of y [N, H', W', K], and with a pool the choices [N, H', W', K] of `convolve`.
  public init(
    _ gradient: UnsafePointer<Float>, output: UnsafePointer<Float>, chosen: UnsafePointer<UInt8>? = nil
  ) {
    (self.gradient, self.output, self.chosen) = (gradient, output, chosen)
  }
}

/// Where the gradients of a convolution go.
public struct ConvolutionGradients {
  let weight, bias: UnsafeMutablePointer<Float>
  let input: UnsafeMutablePointer<Float>?
  let accumulate: Bool

  /// Memory for δw [K, C, 3, 3], δb [K] and, where something before learns, δx [N, H, W, C], which is overwritten.
  /// - Parameter accumulate: add to δw and δb instead of overwriting them.
  public init(
    weight: UnsafeMutablePointer<Float>, bias: UnsafeMutablePointer<Float>,
    input: UnsafeMutablePointer<Float>? = nil, accumulate: Bool = false
  ) {
    (self.weight, self.bias, self.input, self.accumulate) = (weight, bias, input, accumulate)
  }
}

/// As `convolve`, with a pool that notes which of its four pixels each output was, in reading order, the first of
/// equals; 4 where ReLU passes nothing. That is all the backward pass needs of the unpooled map.
public func convolveChoosing(
  _ input: UnsafePointer<Float>, images: Int, height: Int, width: Int, shape: ConvolutionShape,
  transformed: UnsafePointer<Float>, bias: UnsafePointer<Float>, into output: UnsafeMutablePointer<Float>,
  chosen: UnsafeMutablePointer<UInt8>, workspace: ConvolutionWorkspace, pool: ThreadPool = .shared
) {
  precondition(shape.pool, "nothing to choose without a pool")
  let k = shape.outputChannels
  let size = shape.outputSize(height: height, width: width)
  let step = mapsAtOnce(images, height, width, shape)
  let map = workspace.map(floats: step * height * width * k)
  let image = ck_image(height: Int32(height), width: Int32(width), channels: Int32(k))
  let choose = kernels.max_pool_choice_row!
  for first in stride(from: 0, to: images, by: step) {
    let count = min(step, images - first)
    convolve(
      input + first * height * width * shape.inputChannels, images: count, height: height, width: width,
      shape: shape.unpooled, transformed: transformed, bias: bias, into: map, workspace: workspace, pool: pool
    )
    pool.run(count * size.height) { row in
      let at = (first * size.height + row) * size.width * k
      choose(
        map + row / size.height * height * width * k, image, Int32(row % size.height), output + at,
        chosen + at)
    }
  }
}

/// The backward pass of `convolve`: gradients of weights, bias and input from those of the output.
///
/// - Parameters:
///   - input: x [N, H, W, C], what `convolve` read.
///   - gradient: δy and where it passes.
///   - transformed: the weights as `convolve` had them.
///   - gradients: what is written.
public func convolveBackward(
  _ input: UnsafePointer<Float>, images: Int, height: Int, width: Int, shape: ConvolutionShape,
  _ gradient: OutputGradient, transformed: UnsafePointer<Float>, into gradients: ConvolutionGradients,
  workspace: ConvolutionWorkspace, pool: ThreadPool = .shared
) {
  precondition(shape.pool == (gradient.chosen != nil), "choices belong to a pool")
  precondition(images > 0 && height > 0 && width > 0, "\(images) images of \(height)×\(width)")
  if shape.usesWinograd {
    WinogradBackwardPlan(images: images, height: height, width: width, shape: shape).run(
      input, gradient, transformed: transformed, gradients, workspace: workspace, pool: pool)
  } else {
    DirectBackward(height: height, width: width, shape: shape).run(
      input, images: images, gradient, weights: transformed, gradients, workspace: workspace, pool: pool)
  }
}

/// Floats of working memory that the forward and backward passes of one training step take from their workspace.
public func trainingScratchCount(
  images: Int, height: Int, width: Int, shape: ConvolutionShape, threads: Int
) -> Int {
  let map = shape.pool ? mapsAtOnce(images, height, width, shape) * height * width * shape.outputChannels : 0
  guard shape.usesWinograd else {
    return map + DirectBackward(height: height, width: width, shape: shape).scratchCount
  }
  let forward = WinogradPlan(WinogradTiles(images: images, height: height, width: width, shape: shape))
  let backward = WinogradBackwardPlan(images: images, height: height, width: width, shape: shape)
  return map
    + max(forward.products.scratchCount * (forward.blockPerThread ? threads : 1), backward.scratchCount)
}

/// As many images at a time as leave the unpooled maps in the caches.
private func mapsAtOnce(_ images: Int, _ height: Int, _ width: Int, _ shape: ConvolutionShape) -> Int {
  max(1, min(images, 4_000_000 / max(1, height * width * shape.outputChannels)))
}
