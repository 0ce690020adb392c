internal import CKernels
internal import Tensors

/// Memory that convolutions use between them and keep from call to call; one caller at a time.
///
/// `@unchecked Sendable`: it is handed from one `convolve` to the next, never used by two at once.
public final class ConvolutionWorkspace: @unchecked Sendable {
  private var memory = Tensor(uninitialized: [0])
  private var map = Tensor(uninitialized: [0])

  /// An empty workspace; it grows as layers need.
  public init() {}

  /// `threads` stretches of `floats` floats each, contents undefined.
  func scratch(floats: Int, threads: Int) -> UnsafeMutablePointer<Float> {
    if memory.count < floats * threads { memory = Tensor(uninitialized: [floats * threads]) }
    return memory.mutablePointer()
  }

  /// Room for a map that outlives the scratch of the kernels that make or read it.
  func map(floats: Int) -> UnsafeMutablePointer<Float> {
    if map.count < floats { map = Tensor(uninitialized: [floats]) }
    return map.mutablePointer()
  }
}

/// How the tiles of one layer are cut into blocks, and the three steps over a block.
struct WinogradPlan {
  let images, height, width: Int
  let shape: ConvolutionShape
  /// Tiles down, across, and in all images.
  let tileRows, tileColumns, tiles: Int
  /// Tiles of a block.
  let block: Int
  /// True: a thread does a block by itself. False (few tiles): all threads share each step of a block.
  let blockPerThread: Bool
  /// Floats between two of the 36 planes; a few cache lines more than their size, so that the planes' first
  /// lines don't fall into the same cache set.
  let inputPlane, outputPlane: Int

  init(images: Int, height: Int, width: Int, shape: ConvolutionShape, threads: Int) {
    (self.images, self.height, self.width, self.shape) = (images, height, width, shape)
    tileRows = (height + 3) / 4
    tileColumns = (width + 3) / 4
    tiles = images * tileRows * tileColumns
    let widest = max(shape.inputChannels, shape.outputChannels)
    // Block sizes by measurement (tools/benchmarks, `layers`): in and out planes of a block stay in L2 and L3.
    let wanted = widest <= 128 ? 128 : widest <= 256 ? 96 : 400
    blockPerThread = tiles >= 2 * wanted && widest <= 256
    // Blocks of like size and, where each has its thread, a multiple of four, so that two or four threads end together.
    let multiple = blockPerThread ? 4 : 1
    let blocks = (tiles + wanted * multiple - 1) / (wanted * multiple) * multiple
    block = (tiles + blocks - 1) / blocks
    inputPlane = block * shape.inputChannels + 48
    outputPlane = block * shape.outputChannels + 48
  }

  /// Floats of working memory for a block.
  var scratchCount: Int { 36 * (inputPlane + outputPlane) }

  func run(
    _ input: UnsafePointer<Float>, transformed: UnsafePointer<Float>, bias: UnsafePointer<Float>,
    into output: UnsafeMutablePointer<Float>, workspace: ConvolutionWorkspace, pool: ThreadPool
  ) {
    let floats = scratchCount
    let blocks = (tiles + block - 1) / block
    if blockPerThread {
      // One stretch of memory per thread would do; slots are handed out by a counter of free ones.
      let slots = SlotAllocator(count: pool.threads)
      let memory = workspace.scratch(floats: floats, threads: pool.threads)
      pool.run(blocks) { index in
        let slot = slots.take()
        defer { slots.give(slot) }
        let planes = memory + slot * floats
        let range = (index * block)..<min(tiles, (index + 1) * block)
        transformInput(input, range, 0..<range.count, planes)
        for plane in 0..<36 { multiply(plane, range.count, planes, transformed) }
        transformOutput(planes, range, 0..<range.count, bias, output)
      }
      return
    }
    let planes = workspace.scratch(floats: floats, threads: 1)
    for index in 0..<blocks {
      let range = (index * block)..<min(tiles, (index + 1) * block)
      let stripe = 4
      let stripes = (range.count + stripe - 1) / stripe
      let part = { (s: Int) in (s * stripe)..<min(range.count, (s + 1) * stripe) }
      pool.run(stripes) { transformInput(input, range, part($0), planes) }
      pool.run(36) { multiply($0, range.count, planes, transformed) }
      pool.run(stripes) { transformOutput(planes, range, part($0), bias, output) }
    }
  }

  /// The image, tile row and tile column of a tile.
  private func place(_ tile: Int) -> (image: Int, ty: Int32, tx: Int32) {
    let perImage = tileRows * tileColumns
    let within = tile % perImage
    return (tile / perImage, Int32(within / tileColumns), Int32(within % tileColumns))
  }

  private func transformInput(
    _ input: UnsafePointer<Float>, _ block: Range<Int>, _ part: Range<Int>,
    _ planes: UnsafeMutablePointer<Float>
  ) {
    let c = shape.inputChannels
    let image = ck_image(height: Int32(height), width: Int32(width), channels: Int32(c))
    let transform = kernels.winograd_input!
    for tile in part {
      let (n, ty, tx) = place(block.lowerBound + tile)
      transform(input + n * height * width * c, image, ty, tx, planes + tile * c, inputPlane)
    }
  }

  private func multiply(
    _ plane: Int, _ tiles: Int, _ planes: UnsafeMutablePointer<Float>, _ transformed: UnsafePointer<Float>
  ) {
    let (c, k) = (shape.inputChannels, shape.outputChannels)
    sgemm(
      tiles, k, c, 1, planes + plane * inputPlane, c, false, transformed + plane * shape.transformedPlane, k,
      false, 0,
      planes + 36 * inputPlane + plane * outputPlane, k)
  }

  private func transformOutput(
    _ planes: UnsafeMutablePointer<Float>, _ block: Range<Int>, _ part: Range<Int>,
    _ bias: UnsafePointer<Float>,
    _ output: UnsafeMutablePointer<Float>
  ) {
    let k = shape.outputChannels
    let image = ck_image(height: Int32(height), width: Int32(width), channels: Int32(k))
    let size = shape.outputSize(height: height, width: width)
    let flags = (shape.rectified ? Int32(CK_RELU) : 0) | (shape.pool ? Int32(CK_POOL) : 0)
    let transform = kernels.winograd_output!
    for tile in part {
      let (n, ty, tx) = place(block.lowerBound + tile)
      transform(
        planes + 36 * inputPlane + tile * k, outputPlane, bias, output + n * size.height * size.width * k,
        image,
        ty, tx, flags)
    }
  }
}
