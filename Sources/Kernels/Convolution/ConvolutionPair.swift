internal import CKernels

/// A convolution of few channels and the one after it, strip by strip of the image: the map between them, the largest of
/// a VGG network, is never whole and stays in the cache.
public struct ConvolutionPair: Sendable {
  /// The convolution that reads the image; it is not pooled.
  public let first: ConvolutionDescriptor
  /// The one after it.
  public let second: ConvolutionDescriptor

  /// Nil where the two can't be done together: the first is pooled or is a Winograd convolution, the second is not.
  public init?(_ first: ConvolutionDescriptor, _ second: ConvolutionDescriptor) {
    guard !first.pool, !first.usesWinograd, second.usesWinograd else { return nil }
    self.first = first
    self.second = second
  }

  /// Convolves x [N, H, W, C] by both into y [N, H', W', K], as two calls of `convolve` would but for rounding.
  public func callAsFunction(
    _ x: Maps, _ firstParameters: ConvolutionParameters, _ secondParameters: ConvolutionParameters,
    into y: MutableMaps, workspace: ConvolutionWorkspace, on device: Device
  ) {
    var one = first.output(of: x.shape)
    precondition(
      x.shape.channels == first.inputChannels && y.shape == second.output(of: one),
      "\(x.shape) by \(first) and \(second) into \(y.shape)")
    guard !y.shape.isEmpty else { return }
    one.images = 1
    let tiles = WinogradTiles(one, second, device)
    // Two or three rows of tiles of a photo: a strip needs a row above and one below that its neighbours compute, too.
    let stripRows = max(1, 168 / tiles.columns)
    let strips = (tiles.rows + stripRows - 1) / stripRows
    let products = WinogradProducts(tiles: stripRows * tiles.columns, second)
    let side = second.tile.rawValue
    let rowFloats = one.width * first.outputChannels
    let floats = products.scratchCount + (side * stripRows + 2) * rowFloats
    let memory = workspace.scratch(floats: floats, threads: device.pool.threads)
    let slots = SlotAllocator(count: device.pool.threads)
    let directRow = device.kernels.direct_row!
    let image = x.shape.image
    let flags = first.rectified ? Int32(CK_RELU) : 0
    device.pool.run(x.shape.images * strips) { piece in
      let slot = slots.take()
      defer { slots.give(slot) }
      let planes = memory + slot * floats
      let rows = planes + products.scratchCount
      let (n, strip) = (piece / strips, piece % strips)
      let tileRows = (strip * stripRows)..<min(tiles.rows, (strip + 1) * stripRows)
      let top = max(0, side * tileRows.lowerBound - 1)
      for row in top..<min(one.height, side * tileRows.upperBound + 1) {
        directRow(
          x[n], image, firstParameters.transformed, firstParameters.bias, Int32(first.outputChannels),
          Int32(row), rows + (row - top) * rowFloats, flags)
      }
      let range = (tileRows.lowerBound * tiles.columns)..<(tileRows.upperBound * tiles.columns)
      // The map as if it were whole; tiles of this strip read no other rows.
      tiles.transformInput(rows - top * rowFloats, range, into: planes, plane: products.inputPlane)
      products.multiply(
        0..<second.tile.points, 0..<range.count, planes, secondParameters.transformed)
      tiles.transformOutput(
        products.results(planes), plane: products.outputPlane, range, bias: secondParameters.bias,
        into: y[n])
    }
  }
}
