internal import CKernels

/// Convolves x [N, H, W, C] into y [N, H', W', K] with ReLU and the descriptor's pooling.
///
/// Winograd F(2×2,3×3) or F(4×4,3×3) (Lavin & Gray 2016): a block of output tiles at a time is transformed, multiplied
/// as 16 or 36 GEMMs [tiles, C]×[C, K] and transformed back with bias, ReLU and max-pool fused.
public func convolve(
  _ x: Maps, _ convolution: ConvolutionDescriptor, _ parameters: ConvolutionParameters,
  into y: MutableMaps, workspace: ConvolutionWorkspace, on device: Device
) {
  precondition(
    x.shape.channels == convolution.inputChannels && y.shape == convolution.output(of: x.shape),
    "\(x.shape) by \(convolution) into \(y.shape)")
  guard !y.shape.isEmpty else { return }
  if convolution.usesWinograd {
    WinogradPlan(WinogradTiles(x.shape, convolution, device)).run(
      x, parameters, into: y, workspace: workspace)
  } else {
    convolveDirectly(x, convolution, parameters, into: y, workspace: workspace, on: device)
  }
}

private func convolveDirectly(
  _ x: Maps, _ convolution: ConvolutionDescriptor, _ parameters: ConvolutionParameters,
  into y: MutableMaps, workspace: ConvolutionWorkspace, on device: Device
) {
  let k = convolution.outputChannels
  let (height, width) = (x.shape.height, x.shape.width)
  let image = x.shape.image
  let directRow = device.kernels.direct_row!
  let maxPoolRow = device.kernels.max_pool_row!
  // A piece is a pair of rows (what one pooled row needs), eight times.
  let rowsPerPiece = 16
  let flags = convolution.rectified ? Int32(CK_RELU) : 0
  let piecesPerImage = (height + rowsPerPiece - 1) / rowsPerPiece
  let pieces = x.shape.images * piecesPerImage
  let scratch = workspace.scratch(floats: convolution.pool ? 2 * width * k : 0, threads: pieces)
  device.pool.run(pieces) { piece in
    let (n, part) = (piece / piecesPerImage, piece % piecesPerImage)
    let rows = (part * rowsPerPiece)..<min(height, (part + 1) * rowsPerPiece)
    func direct(_ row: Int, into line: UnsafeMutablePointer<Float>) {
      directRow(x[n], image, parameters.transformed, parameters.bias, Int32(k), Int32(row), line, flags)
    }
    if !convolution.pool {
      for row in rows { direct(row, into: y[n] + row * width * k) }
      return
    }
    let pair = scratch + piece * 2 * width * k
    let pairImage = ck_image(height: 2, width: Int32(width), channels: Int32(k))
    for row in stride(from: rows.lowerBound, to: rows.upperBound - 1, by: 2) {
      direct(row, into: pair)
      direct(row + 1, into: pair + width * k)
      maxPoolRow(pair, pairImage, 0, y[n] + (row / 2) * y.shape.width * k)
    }
  }
}
