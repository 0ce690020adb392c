internal import CKernels
internal import Tensors

/// The adjoint of `WinogradPlan`'s steps over blocks of whole images: from the gradient of a layer's output, the
/// gradients of its weights, bias and input.
///
/// With V the transformed input and δM = A·δy·Aᵀ: δU = Σ VᵀδM and δV = δM·Uᵀ for each of the 36 planes, then
/// δw = Gᵀ·δU·G and δx = B·δV·Bᵀ. A thread owns a plane, so every sum is taken in the order of the tiles whatever the
/// threads. The output's gradient is transformed once for both products, and U is the forward pass's own.
struct WinogradBackwardPlan {
  let images, height, width: Int
  let shape: ConvolutionShape
  /// Tiles down and across an image.
  let tileRows, tileColumns: Int
  /// Images of a block.
  let block: Int
  /// Floats between two of the 36 planes, as in `WinogradPlan`.
  let inputPlane, outputPlane: Int

  init(images: Int, height: Int, width: Int, shape: ConvolutionShape) {
    (self.images, self.height, self.width, self.shape) = (images, height, width, shape)
    tileRows = (height + 3) / 4
    tileColumns = (width + 3) / 4
    let perImage = tileRows * tileColumns
    // Enough tiles that reading and writing the planes of weights is little beside the products.
    let wanted = 400
    let blocks = max(1, (images * perImage + wanted - 1) / max(wanted, perImage))
    block = (images + blocks - 1) / blocks
    inputPlane = block * perImage * shape.inputChannels + 48
    outputPlane = block * perImage * shape.outputChannels + 48
  }

  /// Floats of working memory: the planes of a block and those of the weights' gradient.
  var scratchCount: Int {
    36 * (inputPlane + outputPlane + shape.transformedPlane) + shape.outputChannels
  }

  /// As `convolveBackward`.
  func run(
    _ x: UnsafePointer<Float>, _ dy: OutputGradient, transformed: UnsafePointer<Float>,
    _ gradients: ConvolutionGradients, workspace: ConvolutionWorkspace, pool: ThreadPool
  ) {
    let (c, k) = (shape.inputChannels, shape.outputChannels)
    let perImage = tileRows * tileColumns
    let weightPlane = shape.transformedPlane
    let v = workspace.scratch(floats: scratchCount, threads: 1)
    let dm = v + 36 * inputPlane
    let du = dm + 36 * outputPlane
    let biasSums = du + 36 * weightPlane
    let table = kernels
    for first in stride(from: 0, to: images, by: block) {
      let range = first..<min(images, first + block)
      let tiles = range.count * perImage
      pool.run(range.count * tileRows) { row in
        transformRow(x, dy, image: first + row / tileRows, ty: row % tileRows, at: row * tileColumns, v, dm)
      }
      // Point (1, 1) of δM is the sum of the tile's gradients: all that the bias needs.
      pool.run(37) { piece in
        guard piece < 36 else {
          table.column_sums(dm + 7 * outputPlane, tiles, k, k, biasSums)
          return
        }
        let (vp, dmp) = (v + piece * inputPlane, dm + piece * outputPlane)
        let plane = piece * weightPlane
        sgemm(c, k, tiles, 1, vp, c, true, dmp, k, false, first == 0 ? 0 : 1, du + plane, k)
        // V has served: δV takes its place.
        if gradients.input != nil {
          sgemm(tiles, c, k, 1, dmp, k, false, transformed + plane, k, true, 0, vp, c)
        }
      }
      let keeps = gradients.accumulate || first > 0
      for output in 0..<k { gradients.bias[output] = (keeps ? gradients.bias[output] : 0) + biasSums[output] }
      guard let dx = gradients.input else { continue }
      pool.run(range.count * tileRows) { row in
        let (image, ty) = (row / tileRows, row % tileRows)
        for tx in 0..<tileColumns {
          table.winograd_input_gradient(
            v + image * perImage * c, inputPlane, map(channels: c), Int32(ty), Int32(tx),
            dx + (first + image) * height * width * c)
        }
      }
    }
    let step = 16
    pool.run((c + step - 1) / step) { piece in
      let from = piece * step
      table.winograd_weight_gradient(
        du + from * k, Int32(c), Int32(k), Int32(min(step, c - from)), gradients.weight + from * 9,
        gradients.accumulate ? 1 : 0)
    }
  }

  private func map(channels: Int) -> ck_image {
    ck_image(height: Int32(height), width: Int32(width), channels: Int32(channels))
  }

  /// V and δM of a row of tiles, the first of which has number `at` in the block.
  private func transformRow(
    _ x: UnsafePointer<Float>, _ dy: OutputGradient, image: Int, ty: Int, at: Int,
    _ v: UnsafeMutablePointer<Float>, _ dm: UnsafeMutablePointer<Float>
  ) {
    let (c, k) = (shape.inputChannels, shape.outputChannels)
    let size = shape.outputSize(height: height, width: width)
    let from = image * size.height * size.width * k
    let table = kernels
    for tx in 0..<tileColumns {
      table.winograd_4.input(
        x + image * height * width * c, map(channels: c), Int32(ty), Int32(tx), v + (at + tx) * c, inputPlane,
        0)
      table.winograd_gradient(
        dy.gradient + from, dy.output + from, dy.chosen.map { $0 + from }, map(channels: k), Int32(ty),
        Int32(tx), dm + (at + tx) * k, outputPlane)
    }
  }
}
