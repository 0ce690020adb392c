internal import CKernels

/// A convolution of few channels and the one after it, strip by strip of the image: the map between them, the largest of
/// a VGG network, is never whole and stays in the cache.
public struct ConvolutionPair: Sendable {
  /// The two convolutions; the first is not pooled.
  public let first, second: ConvolutionShape

  /// Nil where the two can't be done together: the first is pooled or is a Winograd convolution, the second is not.
  public init?(_ first: ConvolutionShape, _ second: ConvolutionShape) {
    guard !first.pool, !first.usesWinograd, second.usesWinograd else { return nil }
    (self.first, self.second) = (first, second)
  }

  /// Convolves N images [N, H, W, C] by both into [N, H', W', K], as two calls of `convolve` would but for rounding.
  public func callAsFunction(
    _ input: UnsafePointer<Float>, images: Int, height: Int, width: Int,
    _ firstParameters: ConvolutionParameters, _ secondParameters: ConvolutionParameters,
    into output: UnsafeMutablePointer<Float>,
    workspace: ConvolutionWorkspace, pool: ThreadPool = .shared
  ) {
    let size = second.outputSize(height: height, width: width)
    guard images > 0, size.height > 0, size.width > 0 else { return }
    let tiles = WinogradTiles(images: 1, height: height, width: width, shape: second)
    // Two or three rows of tiles of a photo: a strip needs a row above and one below that its neighbours compute, too.
    let stripRows = max(1, 168 / tiles.columns)
    let strips = (tiles.rows + stripRows - 1) / stripRows
    let products = WinogradProducts(tiles: stripRows * tiles.columns, shape: second)
    let side = second.tile.rawValue
    let rowFloats = width * first.outputChannels
    let floats = products.scratchCount + (side * stripRows + 2) * rowFloats
    let memory = workspace.scratch(floats: floats, threads: pool.threads)
    let slots = SlotAllocator(count: pool.threads)
    let table = kernels
    let image = ck_image(height: Int32(height), width: Int32(width), channels: Int32(first.inputChannels))
    pool.run(images * strips) { piece in
      let slot = slots.take()
      defer { slots.give(slot) }
      let planes = memory + slot * floats
      let rows = planes + products.scratchCount
      let (n, strip) = (piece / strips, piece % strips)
      let tileRows = (strip * stripRows)..<min(tiles.rows, (strip + 1) * stripRows)
      let top = max(0, side * tileRows.lowerBound - 1)
      for y in top..<min(height, side * tileRows.upperBound + 1) {
        table.direct_row(
          input + n * height * width * first.inputChannels, image, firstParameters.transformed,
          firstParameters.bias, Int32(first.outputChannels), Int32(y), rows + (y - top) * rowFloats,
          first.rectified ? Int32(CK_RELU) : 0)
      }
      let range = (tileRows.lowerBound * tiles.columns)..<(tileRows.upperBound * tiles.columns)
      // The map as if it were whole; tiles of this strip read no other rows.
      tiles.transformInput(rows - top * rowFloats, range, into: planes, plane: products.inputPlane)
      products.multiply(
        0..<second.tile.points, 0..<range.count, planes, secondParameters.transformed)
      tiles.transformOutput(
        products.results(planes), plane: products.outputPlane, range, bias: secondParameters.bias,
        into: output + n * size.height * size.width * second.outputChannels)
    }
  }
}
