/// The planes of a block of tiles, and the products of its points.
struct WinogradProducts {
  let convolution: ConvolutionDescriptor
  /// Elements between two planes of the input; a few cache lines more than their size, so that the planes' first lines
  /// don't fall into the same cache set.
  let inputPlane: Int
  /// The same of the output.
  let outputPlane: Int

  init(tiles: Int, _ convolution: ConvolutionDescriptor) {
    self.convolution = convolution
    inputPlane = tiles * convolution.inputChannels + 48
    outputPlane = tiles * convolution.outputChannels + 48
  }

  private var points: Int { convolution.tile.points }
  /// Floats that the planes of the input take.
  private var inputFloats: Int { points * inputPlane / (convolution.arithmetic == .bfloat16 ? 2 : 1) }

  /// Floats of working memory for a block.
  var scratchCount: Int { inputFloats + points * outputPlane }

  /// Where the products of the planes at `planes` are.
  func results(_ planes: UnsafeMutablePointer<Float>) -> UnsafeMutablePointer<Float> { planes + inputFloats }

  /// Points whose products are best done in one go: rounded ones have a cost for each call.
  var pointsAtOnce: Int { convolution.arithmetic == .bfloat16 ? points / 12 : 1 }

  /// The products [tiles, C]×[C, K] of some points, for some tiles of the block.
  func multiply(
    _ range: Range<Int>, _ tiles: Range<Int>, _ planes: UnsafeMutablePointer<Float>,
    _ transformed: UnsafePointer<Float>
  ) {
    let (c, k) = (convolution.inputChannels, convolution.outputChannels)
    let weightPlane = convolution.transformedPlane
    if convolution.arithmetic == .bfloat16 {
      let (a, b) = (UnsafeRawPointer(planes), UnsafeRawPointer(transformed))
      bfloatProducts(
        range.count, m: tiles.count, n: k, k: c,
        a.assumingMemoryBound(to: UInt16.self) + range.lowerBound * inputPlane + tiles.lowerBound * c,
        b.assumingMemoryBound(to: UInt16.self) + range.lowerBound * weightPlane,
        results(planes) + range.lowerBound * outputPlane + tiles.lowerBound * k,
        steps: (inputPlane, weightPlane, outputPlane))
      return
    }
    for point in range {
      let v = Matrix(planes + point * inputPlane + tiles.lowerBound * c, rows: tiles.count, columns: c)
      let u = Matrix(transformed + point * weightPlane, rows: c, columns: k)
      let m = results(planes) + point * outputPlane + tiles.lowerBound * k
      multiplyHere(.plain(v), .plain(u), into: MutableMatrix(m, rows: tiles.count, columns: k))
    }
  }
}

/// How the tiles of one layer are cut into blocks, and the three steps over a block.
struct WinogradPlan {
  let tiles: WinogradTiles
  /// Tiles of a block.
  let block: Int
  /// True: a thread does a block by itself. False (few tiles): all threads share each step of a block.
  let blockPerThread: Bool
  let products: WinogradProducts

  init(_ tiles: WinogradTiles) {
    self.tiles = tiles
    let convolution = tiles.convolution
    let widest = max(convolution.inputChannels, convolution.outputChannels)
    // Block sizes by measurement (tools/benchmarks, `layers`): in and out planes of a block stay in L2 and L3.
    let wanted = widest <= 128 ? 128 : widest <= 256 ? 96 : 400
    blockPerThread = tiles.count >= 2 * wanted && widest <= 256
    // Blocks of like size and, where each has its thread, a multiple of four, so that two or four threads end together.
    let multiple = blockPerThread ? 4 : 1
    let blocks = (tiles.count + wanted * multiple - 1) / (wanted * multiple) * multiple
    block = (tiles.count + blocks - 1) / blocks
    products = WinogradProducts(tiles: block, convolution)
  }

  /// Whether the layer is one block, whose steps all threads share.
  var isShared: Bool { !blockPerThread && block == tiles.count }

  func run(
    _ x: Maps, _ parameters: ConvolutionParameters, into y: MutableMaps, workspace: ConvolutionWorkspace
  ) {
    let (k, points) = (tiles.convolution.outputChannels, tiles.convolution.tile.points)
    let transformed = parameters.transformed
    let bias = parameters.bias
    let pool = tiles.device.pool
    let (inputPlane, outputPlane) = (products.inputPlane, products.outputPlane)
    let floats = products.scratchCount
    let blocks = (tiles.count + block - 1) / block
    if blockPerThread {
      // One stretch of memory per thread would do; slots are handed out by a counter of free ones.
      let slots = SlotAllocator(count: pool.threads)
      let memory = workspace.scratch(floats: floats, threads: pool.threads)
      pool.run(blocks) { index in
        let slot = slots.take()
        defer { slots.give(slot) }
        let planes = memory + slot * floats
        let range = (index * block)..<min(tiles.count, (index + 1) * block)
        tiles.transformInput(x.base, range, into: planes, plane: inputPlane)
        products.multiply(0..<points, 0..<range.count, planes, transformed)
        tiles.transformOutput(products.results(planes), plane: outputPlane, range, bias: bias, into: y.base)
      }
      return
    }
    let planes = workspace.scratch(floats: floats, threads: 1)
    for first in stride(from: 0, to: tiles.count, by: block) {
      let count = min(block, tiles.count - first)
      pool.runChunks(of: count, size: 4) { part in
        tiles.transformInput(
          x.base, (first + part.lowerBound)..<(first + part.upperBound), into: planes, from: part.lowerBound,
          plane: inputPlane)
      }
      // Many tiles in two halves, so that threads end more nearly together.
      let parts = count > 256 ? 2 : 1
      let step = products.pointsAtOnce
      pool.run((points + step - 1) / step * parts) { piece in
        let (from, part) = (piece / parts * step, piece % parts)
        products.multiply(
          from..<min(points, from + step), (count * part / parts)..<(count * (part + 1) / parts), planes,
          transformed)
      }
      pool.runChunks(of: count, size: 4) { part in
        tiles.transformOutput(
          products.results(planes) + part.lowerBound * k, plane: outputPlane,
          (first + part.lowerBound)..<(first + part.upperBound), bias: bias, into: y.base)
      }
    }
  }
}
