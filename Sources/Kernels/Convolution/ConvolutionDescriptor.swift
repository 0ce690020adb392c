internal import CKernels

/// A 3×3 convolution, stride 1, padding 1, then ReLU and, where `pool` says so, a 2×2 max-pool.
public struct ConvolutionDescriptor: Sendable, Equatable {
  /// C.
  public let inputChannels: Int
  /// K.
  public let outputChannels: Int
  /// Whether a 2×2 max-pool of stride 2 follows (odd rows and columns at the end are dropped).
  public let pool: Bool
  /// The Winograd tiles, where `usesWinograd`.
  public let tile: WinogradTile
  /// What the products of `usesWinograd` multiply; training knows float32 only.
  public let arithmetic: Arithmetic
  /// Whether ReLU follows; not upon a data gradient by convolution, nor where a normalisation is between.
  var rectified = true

  /// A convolution of C to K channels.
  /// - Parameter arithmetic: bfloat16 is taken up where this CPU has it and channels are multiples of 16.
  public init(
    inputChannels: Int, outputChannels: Int, pool: Bool, tile: WinogradTile = .four,
    arithmetic: Arithmetic = .float32
  ) {
    self.inputChannels = inputChannels
    self.outputChannels = outputChannels
    self.pool = pool
    self.tile = tile
    let fits = inputChannels % 16 == 0 && outputChannels % 16 == 0 && arithmetic.isAvailable
    self.arithmetic = fits ? arithmetic : .float32
  }

  /// The same convolution without its pool.
  var unpooled: ConvolutionDescriptor {
    ConvolutionDescriptor(
      inputChannels: inputChannels, outputChannels: outputChannels, pool: false, tile: tile,
      arithmetic: arithmetic)
  }

  /// The same convolution without ReLU and pool: its plain sums.
  public var linear: ConvolutionDescriptor {
    var result = unpooled
    result.rectified = false
    return result
  }

  /// The same convolution with the tiles that are fastest for maps of this shape; the result differs from that of other
  /// tiles by its rounding.
  ///
  /// With few tiles, reading the weights takes longer than the products: then fewer points are worth more products.
  public func fitted(to maps: MapShape) -> ConvolutionDescriptor {
    let bytes = 4 * WinogradTile.four.points * inputChannels * outputChannels
    let tiles = maps.images * ((maps.height + 3) / 4) * ((maps.width + 3) / 4)
    return ConvolutionDescriptor(
      inputChannels: inputChannels, outputChannels: outputChannels, pool: pool,
      tile: bytes > 16 << 20 && tiles < 32 ? .two : .four, arithmetic: arithmetic)
  }

  /// The shape [N, H', W', K] of what maps [N, H, W, C] become.
  public func output(of maps: MapShape) -> MapShape {
    MapShape(
      images: maps.images, height: pool ? maps.height / 2 : maps.height,
      width: pool ? maps.width / 2 : maps.width, channels: outputChannels)
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

/// What a convolution multiplies by and adds: weights as `transformWeights` leaves them, and bias [K].
public struct ConvolutionParameters {
  let transformed: UnsafePointer<Float>
  let bias: UnsafePointer<Float>

  /// Valid while both are.
  public init(transformed: UnsafePointer<Float>, bias: UnsafePointer<Float>) {
    self.transformed = transformed
    self.bias = bias
  }
}

/// Writes weights [K, C, 3, 3] in the form `convolve` wants, `convolution.transformedCount` floats.
/// - Parameter read: writes the scalars of the weights at some positions into memory; called by several threads at
///   once, each time for some output channels. So weights in half precision need never be in memory as floats.
public func transformWeights(
  _ convolution: ConvolutionDescriptor, into transformed: UnsafeMutablePointer<Float>,
  workspace: ConvolutionWorkspace, on device: Device, read: (Range<Int>, UnsafeMutablePointer<Float>) -> Void
) {
  let (c, k) = (convolution.inputChannels, convolution.outputChannels)
  let step = convolution.usesWinograd ? 16 : k
  let transform = convolution.tile.transforms(device).weights!
  let floats = step * c * 9
  let memory = workspace.scratch(floats: floats, threads: device.pool.threads)
  let slots = SlotAllocator(count: device.pool.threads)
  device.pool.run((k + step - 1) / step) { piece in
    let slot = slots.take()
    defer { slots.give(slot) }
    let weights = memory + slot * floats
    let outputs = (piece * step)..<min(k, (piece + 1) * step)
    read((outputs.lowerBound * c * 9)..<(outputs.upperBound * c * 9), weights)
    if convolution.usesWinograd {
      transform(
        weights, Int32(c), Int32(k), Int32(outputs.count), transformed, Int32(outputs.lowerBound),
        convolution.arithmetic == .bfloat16 ? 1 : 0)
    } else {
      for output in 0..<k {
        for input in 0..<c {
          for i in 0..<9 { transformed[(i * c + input) * k + output] = weights[(output * c + input) * 9 + i] }
        }
      }
    }
  }
}
