internal import CKernels

/// As `convolve`, of weights [K, C, 3, 3] that are used this once.
///
/// Where tiles are few and channels many, transformed weights are four times what the layer reads otherwise, too much for
/// any cache. So some output channels' are transformed at a time, by the thread that multiplies by them next.
/// - Parameter read: as of `transformWeights`.
public func convolveOnce(
  _ x: Maps, _ convolution: ConvolutionDescriptor, bias: UnsafePointer<Float>, into y: MutableMaps,
  workspace: ConvolutionWorkspace, on device: Device, read: (Range<Int>, UnsafeMutablePointer<Float>) -> Void
) {
  guard !y.shape.isEmpty else { return }
  let plan = WinogradPlan(WinogradTiles(x.shape, convolution, device))
  guard plan.isShared, convolution.arithmetic == .float32, convolution.outputChannels % slice == 0 else {
    let memory = workspace.transformed(floats: convolution.transformedCount)
    transformWeights(convolution, into: memory, workspace: workspace, on: device, read: read)
    convolve(
      x, convolution, ConvolutionParameters(transformed: memory, bias: bias), into: y, workspace: workspace,
      on: device)
    return
  }
  let (c, k, count) = (convolution.inputChannels, convolution.outputChannels, plan.tiles.count)
  let threads = device.pool.threads
  let part = WinogradSlice(convolution)
  let planes = workspace.scratch(floats: plan.products.scratchCount + threads * part.scratchCount, threads: 1)
  let memory = planes + plan.products.scratchCount
  device.pool.runChunks(of: count, size: 4) { range in
    plan.tiles.transformInput(
      x.base, range, into: planes, from: range.lowerBound, plane: plan.products.inputPlane)
  }
  let slots = SlotAllocator(count: threads)
  device.pool.run(k / slice) { piece in
    let slot = slots.take()
    defer { slots.give(slot) }
    let transformed = part.transform(piece * slice, memory + slot * part.scratchCount, device, read)
    for point in 0..<convolution.tile.points {
      let v = Matrix(planes + point * plan.products.inputPlane, rows: count, columns: c)
      let u = Matrix(transformed + point * part.plane, rows: c, columns: slice)
      let m = plan.products.results(planes) + point * plan.products.outputPlane + piece * slice
      multiplyHere(.plain(v), .plain(u), into: MutableMatrix(m, rows: count, columns: slice, stride: k))
    }
  }
  device.pool.runChunks(of: count, size: 4) { range in
    plan.tiles.transformOutput(
      plan.products.results(planes) + range.lowerBound * k, plane: plan.products.outputPlane, range,
      bias: bias, into: y.base)
  }
}

/// Output channels whose weights are transformed at a time.
private let slice = 64

/// The transformed weights of some output channels.
private struct WinogradSlice {
  let convolution: ConvolutionDescriptor
  /// Floats between two planes of transformed weights.
  let plane: Int
  /// Output channels that the transform takes at a time.
  private let step = 16

  init(_ convolution: ConvolutionDescriptor) {
    self.convolution = convolution
    plane = ck_weight_plane(Int32(convolution.inputChannels), Int32(slice))
  }

  private var transformedCount: Int { convolution.tile.points * plane }

  /// Floats of working memory: the transformed weights, and what they are made of.
  var scratchCount: Int { transformedCount + step * convolution.inputChannels * 9 }

  /// The planes [C, slice] of the output channels from `first` on, at the beginning of the memory.
  func transform(
    _ first: Int, _ memory: UnsafeMutablePointer<Float>, _ device: Device,
    _ read: (Range<Int>, UnsafeMutablePointer<Float>) -> Void
  ) -> UnsafePointer<Float> {
    let (c, weights) = (convolution.inputChannels, memory + transformedCount)
    for output in stride(from: 0, to: slice, by: step) {
      read(((first + output) * c * 9)..<((first + output + step) * c * 9), weights)
      convolution.tile.transforms(device).weights!(
        weights, Int32(c), Int32(slice), Int32(step), memory, Int32(output), 0)
    }
    return UnsafePointer(memory)
  }
}
