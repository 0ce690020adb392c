internal import CKernels
public import Tensors

/// A 3×3 convolution, stride 1, padding 1, then ReLU and, where `pool` says so, a 2×2 max-pool.
public struct ConvolutionShape: Sendable, Equatable {
  /// Channels in (C) and out (K).
  public let inputChannels, outputChannels: Int
  /// Whether a 2×2 max-pool of stride 2 follows (odd rows and columns at the end are dropped).
  public let pool: Bool
  /// The Winograd tiles, where `usesWinograd`.
  public let tile: WinogradTile
  /// What the products of `usesWinograd` multiply; training knows float32 only.
  public let arithmetic: Arithmetic
  /// Whether ReLU follows; a data gradient by convolution has none.
  var rectified = true

  /// A convolution of C to K channels.
  /// - Parameter arithmetic: bfloat16 is taken up where this CPU has it and channels are multiples of 16.
  public init(
    inputChannels: Int, outputChannels: Int, pool: Bool, tile: WinogradTile = .four,
    arithmetic: Arithmetic = .float32
  ) {
    (self.inputChannels, self.outputChannels, self.pool) = (inputChannels, outputChannels, pool)
    self.tile = tile
    let fits = inputChannels % 16 == 0 && outputChannels % 16 == 0 && arithmetic.isAvailable
    self.arithmetic = fits ? arithmetic : .float32
  }

  /// The same convolution without its pool.
  var unpooled: ConvolutionShape {
    ConvolutionShape(
      inputChannels: inputChannels, outputChannels: outputChannels, pool: false, tile: tile,
      arithmetic: arithmetic)
  }

  /// The same convolution with the tiles that are fastest for so many maps of this size; the result differs from that
  /// of other tiles by its rounding.
  ///
  /// With few tiles, reading the weights takes longer than the products: then fewer points are worth more products.
  public func fitted(images: Int, height: Int, width: Int) -> ConvolutionShape {
    let bytes = 4 * WinogradTile.four.points * inputChannels * outputChannels
    let tiles = images * ((height + 3) / 4) * ((width + 3) / 4)
    return ConvolutionShape(
      inputChannels: inputChannels, outputChannels: outputChannels, pool: pool,
      tile: bytes > 16 << 20 && tiles < 32 ? .two : .four, arithmetic: arithmetic)
  }

  /// The output's height and width for an input's.
  public func outputSize(height: Int, width: Int) -> (height: Int, width: Int) {
    pool ? (height / 2, width / 2) : (height, width)
  }

  /// Floats that the transformed weights take: a little over 16·C·K or 36·C·K for Winograd, half as many for bfloat16,
  /// 9·C·K for the direct kernel.
  public var transformedCount: Int {
    guard usesWinograd else { return 9 * inputChannels * outputChannels }
    return tile.points * transformedPlane / (arithmetic == .bfloat16 ? 2 : 1)
  }

  /// Elements between two planes of transformed weights.
  var transformedPlane: Int { ck_weight_plane(Int32(inputChannels), Int32(outputChannels)) }

  /// With few input channels the transforms would cost more than they save.
  public var usesWinograd: Bool { inputChannels >= 16 }
}

/// Writes weights [K, C, 3, 3] in the form `convolve` wants, `shape.transformedCount` floats.
/// - Parameter read: writes the scalars of the weights at some positions into memory; called by several threads at
///   once, each time for some output channels. So weights in half precision need never be in memory as floats.
public func transformWeights(
  shape: ConvolutionShape, into transformed: UnsafeMutablePointer<Float>, workspace: ConvolutionWorkspace,
  pool: ThreadPool = .shared, read: (Range<Int>, UnsafeMutablePointer<Float>) -> Void
) {
  let (c, k) = (shape.inputChannels, shape.outputChannels)
  let step = shape.usesWinograd ? 16 : k
  let transform = shape.tile.transforms.weights!
  let floats = step * c * 9
  let memory = workspace.scratch(floats: floats, threads: pool.threads)
  let slots = SlotAllocator(count: pool.threads)
  pool.run((k + step - 1) / step) { piece in
    let slot = slots.take()
    defer { slots.give(slot) }
    let weights = memory + slot * floats
    let outputs = (piece * step)..<min(k, (piece + 1) * step)
    read((outputs.lowerBound * c * 9)..<(outputs.upperBound * c * 9), weights)
    if shape.usesWinograd {
      transform(
        weights, Int32(c), Int32(k), Int32(outputs.count), transformed, Int32(outputs.lowerBound),
        shape.arithmetic == .bfloat16 ? 1 : 0)
    } else {
      for output in 0..<k {
        for input in 0..<c {
          for i in 0..<9 { transformed[(i * c + input) * k + output] = weights[(output * c + input) * 9 + i] }
        }
      }
    }
  }
}

/// What a convolution multiplies by and adds: weights as `transformWeights` leaves them, and bias [K].
public struct ConvolutionParameters {
  let transformed, bias: UnsafePointer<Float>

  /// Valid while both are.
  public init(transformed: UnsafePointer<Float>, bias: UnsafePointer<Float>) {
    (self.transformed, self.bias) = (transformed, bias)
  }
}

/// Convolves N images [N, H, W, C] into [N, H', W', K] with ReLU and the shape's pooling.
///
/// Winograd F(2×2,3×3) or F(4×4,3×3) (Lavin & Gray 2016): a block of output tiles at a time is transformed, multiplied
/// as 16 or 36 GEMMs [tiles, C]×[C, K] and transformed back with bias, ReLU and max-pool fused.
public func convolve(
  _ input: UnsafePointer<Float>, images: Int, height: Int, width: Int, shape: ConvolutionShape,
  transformed: UnsafePointer<Float>, bias: UnsafePointer<Float>, into output: UnsafeMutablePointer<Float>,
  workspace: ConvolutionWorkspace, pool: ThreadPool = .shared
) {
  let size = shape.outputSize(height: height, width: width)
  guard images > 0, size.height > 0, size.width > 0 else { return }
  if shape.usesWinograd {
    WinogradPlan(WinogradTiles(images: images, height: height, width: width, shape: shape)).run(
      input, transformed: transformed, bias: bias, into: output, workspace: workspace, pool: pool)
  } else {
    convolveDirectly(
      input, images: images, height: height, width: width, shape: shape, weights: transformed, bias: bias,
      into: output, workspace: workspace, pool: pool)
  }
}

private func convolveDirectly(
  _ input: UnsafePointer<Float>, images: Int, height: Int, width: Int, shape: ConvolutionShape,
  weights: UnsafePointer<Float>, bias: UnsafePointer<Float>, into output: UnsafeMutablePointer<Float>,
  workspace: ConvolutionWorkspace, pool: ThreadPool
) {
  let (c, k) = (shape.inputChannels, shape.outputChannels)
  let image = ck_image(height: Int32(height), width: Int32(width), channels: Int32(c))
  let table = kernels
  let size = shape.outputSize(height: height, width: width)
  // A piece is a pair of rows (what one pooled row needs), eight times.
  let rowsPerPiece = 16
  let flags = shape.rectified ? Int32(CK_RELU) : 0
  let piecesPerImage = (height + rowsPerPiece - 1) / rowsPerPiece
  let scratch = workspace.scratch(floats: shape.pool ? 2 * width * k : 0, threads: images * piecesPerImage)
  pool.run(images * piecesPerImage) { piece in
    let (n, part) = (piece / piecesPerImage, piece % piecesPerImage)
    let source = input + n * height * width * c
    let destination = output + n * size.height * size.width * k
    let rows = (part * rowsPerPiece)..<min(height, (part + 1) * rowsPerPiece)
    if !shape.pool {
      for y in rows {
        table.direct_row(
          source, image, weights, bias, Int32(k), Int32(y), destination + y * width * k, flags)
      }
      return
    }
    let pair = scratch + piece * 2 * width * k
    let pairImage = ck_image(height: 2, width: Int32(width), channels: Int32(k))
    for y in stride(from: rows.lowerBound, to: rows.upperBound - 1, by: 2) {
      table.direct_row(source, image, weights, bias, Int32(k), Int32(y), pair, flags)
      table.direct_row(source, image, weights, bias, Int32(k), Int32(y + 1), pair + width * k, flags)
      table.max_pool_row(pair, pairImage, 0, destination + (y / 2) * size.width * k)
    }
  }
}

/// The direct definition, in plain loops: the oracle of the tests.
public func convolveNaively(
  _ input: Tensor, weights: Tensor, bias: Tensor, pool: Bool
) -> Tensor {
  let (n, h, w, c) = (input.shape[0], input.shape[1], input.shape[2], input.shape[3])
  let k = weights.shape[0]
  var full = [Float](repeating: 0, count: n * h * w * k)
  for image in 0..<n {
    for y in 0..<h {
      for x in 0..<w {
        for output in 0..<k {
          var sum = Double(bias.pointer[output])
          for dy in 0..<3 where y + dy >= 1 && y + dy <= h {
            for dx in 0..<3 where x + dx >= 1 && x + dx <= w {
              let pixel = input.pointer + ((image * h + y + dy - 1) * w + x + dx - 1) * c
              let filter = weights.pointer + output * c * 9 + dy * 3 + dx
              for channel in 0..<c { sum += Double(pixel[channel]) * Double(filter[channel * 9]) }
            }
          }
          full[((image * h + y) * w + x) * k + output] = Float(max(0, sum))
        }
      }
    }
  }
  guard pool else { return Tensor(full, [n, h, w, k]) }
  let (ph, pw) = (h / 2, w / 2)
  var pooled = [Float](repeating: 0, count: n * ph * pw * k)
  for image in 0..<n {
    for y in 0..<ph {
      for x in 0..<pw {
        for channel in 0..<k {
          let at = { (dy: Int, dx: Int) in full[((image * h + 2 * y + dy) * w + 2 * x + dx) * k + channel] }
          pooled[((image * ph + y) * pw + x) * k + channel] = max(at(0, 0), at(0, 1), at(1, 0), at(1, 1))
        }
      }
    }
  }
  return Tensor(pooled, [n, ph, pw, k])
}
