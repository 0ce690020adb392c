internal import CKernels

/// The adjoint of `WinogradPlan`'s steps over blocks of whole images: from the gradient of a layer's output, the
/// gradients of its weights, bias and input.
///
/// With V the transformed input and δM = A·δy·Aᵀ: δU = Σ VᵀδM and δV = δM·Uᵀ for each of the 36 planes, then
/// δw = Gᵀ·δU·G and δx = B·δV·Bᵀ. A thread owns a plane, so every sum is taken in the order of the tiles whatever the
/// threads. The output's gradient is transformed once for both products, and U is the forward pass's own.
struct WinogradBackwardPlan {
  /// The maps that the layer reads.
  let maps: MapShape
  let convolution: ConvolutionDescriptor
  let device: Device
  /// Tiles down an image.
  let tileRows: Int
  /// Tiles across an image.
  let tileColumns: Int
  /// Images of a block.
  let block: Int
  /// Floats between two of the 36 planes of the input, as in `WinogradPlan`.
  let inputPlane: Int
  /// The same of the output.
  let outputPlane: Int

  init(_ maps: MapShape, _ convolution: ConvolutionDescriptor, _ device: Device) {
    self.maps = maps
    self.convolution = convolution
    self.device = device
    tileRows = (maps.height + 3) / 4
    tileColumns = (maps.width + 3) / 4
    let perImage = tileRows * tileColumns
    // Enough tiles that reading and writing the planes of weights is little beside the products.
    let wanted = 400
    let blocks = max(1, (maps.images * perImage + wanted - 1) / max(wanted, perImage))
    block = (maps.images + blocks - 1) / blocks
    inputPlane = block * perImage * convolution.inputChannels + 48
    outputPlane = block * perImage * convolution.outputChannels + 48
  }

  /// Floats of working memory: the planes of a block and those of the weights' gradient.
  var scratchCount: Int {
    36 * (inputPlane + outputPlane + convolution.transformedPlane) + convolution.outputChannels
  }

  /// As `convolveBackward`.
  func run(
    _ x: Maps, _ dy: OutputGradient, transformed: UnsafePointer<Float>, into gradients: ConvolutionGradients,
    workspace: ConvolutionWorkspace
  ) {
    let (c, k) = (convolution.inputChannels, convolution.outputChannels)
    let perImage = tileRows * tileColumns
    let weightPlane = convolution.transformedPlane
    let v = workspace.scratch(floats: scratchCount, threads: 1)
    let dm = v + 36 * inputPlane
    let du = dm + 36 * outputPlane
    let biasSums = du + 36 * weightPlane
    let columnSums = device.kernels.column_sums!
    let inputGradient = device.kernels.winograd_input_gradient!
    let weightGradient = device.kernels.winograd_weight_gradient!
    for first in stride(from: 0, to: maps.images, by: block) {
      let range = first..<min(maps.images, first + block)
      let tiles = range.count * perImage
      device.pool.run(range.count * tileRows) { row in
        transformRow(x, dy, image: first + row / tileRows, ty: row % tileRows, at: row * tileColumns, v, dm)
      }
      // Point (1, 1) of δM is the sum of the tile's gradients: all that the bias needs.
      device.pool.run(37) { piece in
        guard piece < 36 else {
          columnSums(dm + 7 * outputPlane, tiles, k, k, biasSums)
          return
        }
        let vp = MutableMatrix(v + piece * inputPlane, rows: tiles, columns: c)
        let dmp = Matrix(dm + piece * outputPlane, rows: tiles, columns: k)
        let dup = MutableMatrix(du + piece * weightPlane, rows: c, columns: k)
        multiplyHere(.transposed(Matrix(vp)), .plain(dmp), into: dup, beta: first == 0 ? 0 : 1)
        // V has served: δV takes its place.
        if gradients.input != nil {
          let up = Matrix(transformed + piece * weightPlane, rows: c, columns: k)
          multiplyHere(.plain(dmp), .transposed(up), into: vp)
        }
      }
      let keeps = gradients.accumulate || first > 0
      for output in 0..<k { gradients.bias[output] = (keeps ? gradients.bias[output] : 0) + biasSums[output] }
      guard let dx = gradients.input else { continue }
      device.pool.run(range.count * tileRows) { row in
        let (image, ty) = (row / tileRows, row % tileRows)
        for tx in 0..<tileColumns {
          inputGradient(
            v + image * perImage * c, inputPlane, maps.image, Int32(ty), Int32(tx),
            dx + (first + image) * maps.imageCount)
        }
      }
    }
    let step = 16
    device.pool.run((c + step - 1) / step) { piece in
      let from = piece * step
      weightGradient(
        du + from * k, Int32(c), Int32(k), Int32(min(step, c - from)), gradients.weight + from * 9,
        gradients.accumulate ? 1 : 0)
    }
  }

  /// V and δM of a row of tiles, the first of which has number `at` in the block.
  private func transformRow(
    _ x: Maps, _ dy: OutputGradient, image: Int, ty: Int, at: Int,
    _ v: UnsafeMutablePointer<Float>, _ dm: UnsafeMutablePointer<Float>
  ) {
    let (c, k) = (convolution.inputChannels, convolution.outputChannels)
    let from = image * convolution.output(of: maps).imageCount
    let unpooled = convolution.unpooled.output(of: maps).image
    let transformInput = device.kernels.winograd_4.input!
    let transformGradient = device.kernels.winograd_gradient!
    for tx in 0..<tileColumns {
      transformInput(x[image], maps.image, Int32(ty), Int32(tx), v + (at + tx) * c, inputPlane, 0)
      transformGradient(
        dy.gradient + from, dy.output.map { $0 + from }, dy.chosen.map { $0 + from }, unpooled, Int32(ty),
        Int32(tx),
        dm + (at + tx) * k, outputPlane)
    }
  }
}
