internal import CKernels
internal import Tensors

/// The backward pass of a convolution with few input channels, an image at a time: δw and δb as one product
/// [pixels, 9C+1]ᵀ×[pixels, K] of the pixels' neighbourhoods, whose last column is 1; δx as a convolution of δy with
/// the weights turned by 180°.
struct DirectBackward {
  let height, width: Int
  let shape: ConvolutionShape

  private var columns: Int { 9 * shape.inputChannels + 1 }
  private var pixels: Int { height * width }
  /// Rows of a piece: the image's shape alone cuts the sums.
  private let rowsPerPiece = 16
  private var pieces: Int { (height + rowsPerPiece - 1) / rowsPerPiece }

  init(height: Int, width: Int, shape: ConvolutionShape) {
    (self.height, self.width, self.shape) = (height, width, shape)
  }

  /// Floats of working memory: an image's neighbourhoods, its masked gradient and the pieces' sums.
  var scratchCount: Int {
    pixels * (columns + shape.outputChannels) + (pieces + 1) * columns * shape.outputChannels
  }

  func run(
    _ x: UnsafePointer<Float>, images: Int, _ dy: OutputGradient, weights: UnsafePointer<Float>,
    _ gradients: ConvolutionGradients, workspace: ConvolutionWorkspace, pool: ThreadPool
  ) {
    let (c, k) = (shape.inputChannels, shape.outputChannels)
    let size = shape.outputSize(height: height, width: width)
    let masked = workspace.scratch(floats: scratchCount, threads: 1)
    let patches = masked + pixels * k
    let sums = patches + pixels * columns
    let total = sums + pieces * columns * k
    total.update(repeating: 0, count: columns * k)
    let turned = gradients.input == nil ? nil : TurnedWeights(shape, weights, pool)
    for image in 0..<images {
      let from = image * size.height * size.width * k
      mask(dy, from: from, into: masked, pool)
      pool.run(pieces) { piece in
        let rows = (piece * rowsPerPiece)..<min(height, (piece + 1) * rowsPerPiece)
        for y in rows { gather(x + image * pixels * c, y, patches + y * width * columns) }
        sgemm(
          columns, k, rows.count * width, 1, patches + rows.lowerBound * width * columns, columns, true,
          masked + rows.lowerBound * width * k, k, false, 0, sums + piece * columns * k, k)
      }
      for piece in 0..<pieces {
        for i in 0..<columns * k { total[i] += sums[piece * columns * k + i] }
      }
      if let dx = gradients.input {
        turned!.apply(masked, height: height, width: width, into: dx + image * pixels * c, pool)
      }
    }
    for output in 0..<k {
      for input in 0..<c {
        for i in 0..<9 {
          let place = (output * c + input) * 9 + i
          let before = gradients.accumulate ? gradients.weight[place] : 0
          gradients.weight[place] = before + total[(i * c + input) * k + output]
        }
      }
      let before = gradients.accumulate ? gradients.bias[output] : 0
      gradients.bias[output] = before + total[9 * c * k + output]
    }
  }

  /// δy of one image before ReLU and pool, [H, W, K].
  private func mask(
    _ dy: OutputGradient, from: Int, into masked: UnsafeMutablePointer<Float>, _ pool: ThreadPool
  ) {
    let row = width * shape.outputChannels
    let table = kernels
    guard let chosen = dy.chosen else {
      pool.run(height) { y in
        (masked + y * row).update(from: dy.gradient + from + y * row, count: row)
        table.relu_backward_row(dy.output + from + y * row, masked + y * row, row, 1)
      }
      return
    }
    let pooled = width / 2 * shape.outputChannels
    pool.run(height / 2) { y in
      let at = from + y * pooled
      table.unpool_row(
        dy.gradient + at, chosen + at, Int32(width), Int32(shape.outputChannels), masked + 2 * y * row,
        masked + (2 * y + 1) * row)
    }
    if height % 2 == 1 { (masked + (height - 1) * row).update(repeating: 0, count: row) }
  }

  /// The neighbourhoods of a row's pixels, [W, 9C+1].
  private func gather(_ image: UnsafePointer<Float>, _ y: Int, _ patches: UnsafeMutablePointer<Float>) {
    let c = shape.inputChannels
    for x in 0..<width {
      var to = patches + x * columns
      for dy in -1...1 {
        for dx in -1...1 {
          let inside = y + dy >= 0 && y + dy < height && x + dx >= 0 && x + dx < width
          if inside {
            let pixel = image + ((y + dy) * width + x + dx) * c
            for channel in 0..<c { to[channel] = pixel[channel] }
          } else {
            for channel in 0..<c { to[channel] = 0 }
          }
          to += c
        }
      }
      to[0] = 1
    }
  }
}

/// The convolution of K to C channels that takes δy to δx.
private struct TurnedWeights {
  private let shape: ConvolutionShape
  private var transformed: Tensor
  private let bias: Tensor
  private let workspace = ConvolutionWorkspace()

  /// - Parameter weights: [3, 3, C, K].
  init(_ forward: ConvolutionShape, _ weights: UnsafePointer<Float>, _ pool: ThreadPool) {
    let (c, k) = (forward.inputChannels, forward.outputChannels)
    var shape = ConvolutionShape(inputChannels: k, outputChannels: c, pool: false)
    shape.rectified = false
    self.shape = shape
    bias = Tensor(zeros: [c])
    transformed = Tensor(uninitialized: [shape.transformedCount])
    transformWeights(shape: shape, into: transformed.mutablePointer(), workspace: workspace, pool: pool) {
      range, memory in
      for (position, place) in range.enumerated() {
        let (input, output, i) = (place / (9 * k), place / 9 % k, place % 9)
        memory[position] = weights[((8 - i) * c + input) * k + output]
      }
    }
  }

  func apply(
    _ dy: UnsafePointer<Float>, height: Int, width: Int, into dx: UnsafeMutablePointer<Float>,
    _ pool: ThreadPool
  ) {
    convolve(
      dy, images: 1, height: height, width: width, shape: shape, transformed: transformed.pointer,
      bias: bias.pointer, into: dx, workspace: workspace, pool: pool)
  }
}
