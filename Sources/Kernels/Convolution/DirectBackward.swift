internal import CKernels
internal import Tensors

/// The backward pass of a convolution with few input channels, an image at a time: δw and δb as one product
/// [pixels, 9C+1]ᵀ×[pixels, K] of the pixels' neighbourhoods, whose last column is 1; δx as a convolution of δy with
/// the weights turned by 180°.
struct DirectBackward {
  /// The maps that the layer reads.
  let maps: MapShape
  let convolution: ConvolutionDescriptor
  let device: Device

  private var columns: Int { 9 * convolution.inputChannels + 1 }
  private var pixels: Int { maps.height * maps.width }
  /// Rows of a piece: the image's shape alone cuts the sums.
  private let rowsPerPiece = 16
  private var pieces: Int { (maps.height + rowsPerPiece - 1) / rowsPerPiece }

  init(_ maps: MapShape, _ convolution: ConvolutionDescriptor, _ device: Device) {
    self.maps = maps
    self.convolution = convolution
    self.device = device
  }

  /// Floats of working memory: an image's neighbourhoods, its masked gradient and the pieces' sums.
  var scratchCount: Int {
    pixels * (columns + convolution.outputChannels) + (pieces + 1) * columns * convolution.outputChannels
  }

  /// As `convolveBackward`.
  func run(
    _ x: Maps, _ dy: OutputGradient, weights: UnsafePointer<Float>, into gradients: ConvolutionGradients,
    workspace: ConvolutionWorkspace
  ) {
    let (c, k) = (convolution.inputChannels, convolution.outputChannels)
    let (height, width) = (maps.height, maps.width)
    let size = convolution.output(of: maps)
    let masked = workspace.scratch(floats: scratchCount, threads: 1)
    let patches = masked + pixels * k
    let sums = patches + pixels * columns
    let total = sums + pieces * columns * k
    total.update(repeating: 0, count: columns * k)
    let turned = gradients.input == nil ? nil : TurnedWeights(convolution, weights, device)
    for image in 0..<maps.images {
      mask(dy, from: image * size.imageCount, into: masked)
      device.pool.run(pieces) { piece in
        let rows = (piece * rowsPerPiece)..<min(height, (piece + 1) * rowsPerPiece)
        for y in rows { gather(x[image], y, patches + y * width * columns) }
        let first = rows.lowerBound * width
        let count = rows.count * width
        multiplyHere(
          .transposed(Matrix(patches + first * columns, rows: count, columns: columns)),
          .plain(Matrix(masked + first * k, rows: count, columns: k)),
          into: MutableMatrix(sums + piece * columns * k, rows: columns, columns: k))
      }
      for piece in 0..<pieces {
        for i in 0..<columns * k { total[i] += sums[piece * columns * k + i] }
      }
      if let dx = gradients.input {
        turned!.apply(masked, height: height, width: width, into: dx + image * maps.imageCount)
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
  private func mask(_ dy: OutputGradient, from: Int, into masked: UnsafeMutablePointer<Float>) {
    let (height, width, k) = (maps.height, maps.width, convolution.outputChannels)
    let row = width * k
    guard let chosen = dy.chosen else {
      let reluBackward = device.kernels.relu_backward_row!
      device.pool.run(height) { y in
        (masked + y * row).update(from: dy.gradient + from + y * row, count: row)
        if let output = dy.output { reluBackward(output + from + y * row, masked + y * row, row, 1) }
      }
      return
    }
    let pooled = width / 2 * k
    let unpool = device.kernels.unpool_row!
    device.pool.run(height / 2) { y in
      let at = from + y * pooled
      unpool(
        dy.gradient + at, chosen + at, Int32(width), Int32(k), masked + 2 * y * row,
        masked + (2 * y + 1) * row)
    }
    if height % 2 == 1 { (masked + (height - 1) * row).update(repeating: 0, count: row) }
  }

  /// The neighbourhoods of a row's pixels, [W, 9C+1].
  private func gather(_ image: UnsafePointer<Float>, _ y: Int, _ patches: UnsafeMutablePointer<Float>) {
    let c = convolution.inputChannels
    let (height, width) = (maps.height, maps.width)
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
  private let convolution: ConvolutionDescriptor
  private let device: Device
  private var transformed: Tensor
  private let bias: Tensor
  private let workspace = ConvolutionWorkspace()

  /// - Parameter weights: [3, 3, C, K].
  init(_ forward: ConvolutionDescriptor, _ weights: UnsafePointer<Float>, _ device: Device) {
    let (c, k) = (forward.inputChannels, forward.outputChannels)
    var convolution = ConvolutionDescriptor(inputChannels: k, outputChannels: c, pool: false)
    convolution.rectified = false
    self.convolution = convolution
    self.device = device
    bias = Tensor(zeros: [c])
    transformed = Tensor(uninitialized: [convolution.transformedCount])
    transformWeights(convolution, into: transformed.mutablePointer(), workspace: workspace, on: device) {
      range, memory in
      for (position, place) in range.enumerated() {
        let (input, output, i) = (place / (9 * k), place / 9 % k, place % 9)
        memory[position] = weights[((8 - i) * c + input) * k + output]
      }
    }
  }

  func apply(_ dy: UnsafePointer<Float>, height: Int, width: Int, into dx: UnsafeMutablePointer<Float>) {
    let maps = MapShape(images: 1, height: height, width: width, channels: convolution.inputChannels)
    convolve(
      Maps(dy, maps), convolution,
      ConvolutionParameters(transformed: transformed.pointer, bias: bias.pointer),
      into: MutableMaps(dx, convolution.output(of: maps)), workspace: workspace, on: device)
  }
}
