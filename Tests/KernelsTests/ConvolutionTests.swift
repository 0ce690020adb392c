import CKernels
import Support
import Tensors
import TestSupport
import Testing

@testable import Kernels

/// So many threads.
func device(_ threads: Int) -> Device { Device(pool: ThreadPool(threads: threads)) }

@Suite struct ConvolutionTests {
  /// Odd sizes, channel counts that no vector width divides, several images, both paths, with and without pool.
  @Test(arguments: [
    (1, 5, 7, 16, 16), (2, 8, 8, 32, 48), (1, 1, 1, 64, 64), (3, 13, 6, 20, 19), (1, 9, 17, 3, 64),
    (2, 4, 3, 1, 5),
    (5, 12, 12, 64, 128),
  ])
  func agreesWithTheDefinition(n: Int, h: Int, w: Int, c: Int, k: Int) {
    var random = Random(seed: UInt64(n * 1000 + h * 100 + w * 10 + c))
    let input = Tensor(uniform: [n, h, w, c], limit: 1, using: &random)
    let weights = Tensor(uniform: [k, c, 3, 3], limit: 1, using: &random)
    let bias = Tensor(uniform: [k], limit: 1, using: &random)
    for pool in [false, true] {
      let expected = convolveNaively(input, weights: weights, bias: bias, pool: pool)
      // Of one row a pool leaves nothing.
      let isEmpty = pool && min(h, w) == 1
      for threads in [1, 3] {
        for tile in [WinogradTile.two, .four] {
          let actual = convolved(
            input, weights: weights, bias: bias, pool: pool, tile, on: device(threads))
          #expect(actual.shape == expected.shape)
          #expect(
            isEmpty ? actual.count == 0 : relativeError(actual, expected) < 5e-6,
            "pool \(pool), \(tile), \(threads) threads")
        }
      }
    }
  }

  /// More tiles than a block has, in both ways of sharing the work: every thread count gives the same bits.
  @Test(arguments: [(4, 60, 56, 16, 16), (2, 28, 28, 272, 16)])
  func threadsDoNotChangeTheResult(n: Int, h: Int, w: Int, c: Int, k: Int) {
    var random = Random(seed: 7)
    let input = Tensor(uniform: [n, h, w, c], limit: 1, using: &random)
    let weights = Tensor(uniform: [k, c, 3, 3], limit: 1, using: &random)
    let bias = Tensor(uniform: [k], limit: 1, using: &random)
    let one = convolved(input, weights: weights, bias: bias, pool: true, on: device(1))
    let four = convolved(input, weights: weights, bias: bias, pool: true, on: device(4))
    #expect(one == four)
    #expect(relativeError(one, convolveNaively(input, weights: weights, bias: bias, pool: true)) < 5e-6)
  }

  /// Weights that are transformed some channels at a time, or (few channels, many tiles) all at once: the same bits.
  @Test(arguments: [
    (1, 14, 14, 512, 128, WinogradTile.two), (2, 28, 28, 272, 64, .four), (1, 56, 56, 32, 48, .four),
  ])
  func weightsThatAreUsedOnce(n: Int, h: Int, w: Int, c: Int, k: Int, tile: WinogradTile) {
    var random = Random(seed: 8)
    let input = Tensor(uniform: [n, h, w, c], limit: 1, using: &random)
    let weights = Tensor(uniform: [k, c, 3, 3], limit: 1, using: &random)
    let bias = Tensor(uniform: [k], limit: 1, using: &random)
    let expected = convolved(input, weights: weights, bias: bias, pool: true, tile, on: device(1))
    let convolution = ConvolutionDescriptor(inputChannels: c, outputChannels: k, pool: true, tile: tile)
    for threads in [1, 3] {
      var y = Tensor(zeros: expected.shape)
      convolveOnce(
        input.maps, convolution, bias: bias.pointer, into: y.mutableMaps(), workspace: ConvolutionWorkspace(),
        on: device(threads)
      ) {
        $1.update(from: weights.pointer + $0.lowerBound, count: $0.count)
      }
      #expect(y == expected, "\(threads) threads")
    }
    withExtendedLifetime((input, bias)) {}
  }

  /// Products of rounded factors: off by their rounding, and no more; the same for any number of threads.
  @Test(
    .enabled(if: Arithmetic.bfloat16.isAvailable),
    arguments: [(2, 30, 28, 64, 64), (3, 14, 14, 512, 48), (1, 80, 72, 32, 16), (1, 14, 14, 512, 512)])
  func bfloat(n: Int, h: Int, w: Int, c: Int, k: Int) {
    var random = Random(seed: 11)
    let input = Tensor(uniform: [n, h, w, c], limit: 1, using: &random)
    let weights = Tensor(uniform: [k, c, 3, 3], limit: 1, using: &random)
    let bias = Tensor(uniform: [k], limit: 1, using: &random)
    for tile in [WinogradTile.two, .four] {
      let exact = convolved(
        input, weights: weights, bias: bias, pool: true, tile, on: device(1))
      let rounded = [1, 3].map {
        convolved(
          input, weights: weights, bias: bias, pool: true, tile, arithmetic: .bfloat16,
          on: device($0))
      }
      #expect(rounded[0] == rounded[1])
      // 2^-9 a factor, times what the transforms make of it.
      let error = relativeError(rounded[0], exact)
      #expect(error > 1e-4 && error < (tile == .two ? 6e-3 : 4e-2), "\(tile): \(error)")
    }
  }

  /// Channels that the rounded kernels don't divide are multiplied as they are.
  @Test func bfloatFallsBack() {
    let shape = ConvolutionDescriptor(
      inputChannels: 20, outputChannels: 32, pool: true, arithmetic: .bfloat16)
    #expect(shape.arithmetic == .float32)
  }

  /// What the transforms round is what they give, rounded.
  @Test(arguments: InstructionSet.available.map(\.description), [WinogradTile.two, .four])
  func transformsRound(name: String, tile: WinogradTile) throws {
    let table = try #require(InstructionSet(named: name)).table.pointer.pointee
    let transforms = tile == .two ? table.winograd_2 : table.winograd_4
    let (c, k, points) = (32, 48, tile.points)
    var random = Random(seed: 5)
    let image = Tensor(uniform: [7, 9, c], limit: 1, using: &random)
    let weights = Tensor(uniform: [k, c, 3, 3], limit: 1, using: &random)
    func agree(_ count: Int, _ transform: (UnsafeMutableRawPointer, Int32) -> Void) {
      var exact = [Float](repeating: 0, count: count)
      var rounded = [UInt16](repeating: 0, count: count)
      exact.withUnsafeMutableBytes { transform($0.baseAddress!, 0) }
      rounded.withUnsafeMutableBytes { transform($0.baseAddress!, 1) }
      var expected = rounded
      table.float_to_bfloat(exact, &expected, count)
      #expect(rounded == expected && expected.contains { $0 != 0 })
    }
    agree(points * (c + 5)) {
      transforms.input(
        image.pointer, ck_image(height: 7, width: 9, channels: Int32(c)), 1, 1, $0, c + 5, $1)
    }
    agree(points * ConvolutionDescriptor(inputChannels: c, outputChannels: k, pool: false).transformedPlane) {
      transforms.weights(weights.pointer, Int32(c), Int32(k), Int32(k - 16), $0, 16, $1)
    }
  }

  /// Strips and their seams: what the two convolutions one after the other give.
  @Test(arguments: [(2, 9, 11, 3), (1, 50, 300, 3), (3, 40, 33, 5), (1, 1, 1, 1), (1, 120, 17, 2)])
  func twoConvolutionsAtOnce(n: Int, h: Int, w: Int, c: Int) throws {
    var random = Random(seed: UInt64(h * w))
    let input = Tensor(uniform: [n, h, w, c], limit: 1, using: &random)
    let weights = [
      Tensor(uniform: [24, c, 3, 3], limit: 1, using: &random),
      Tensor(uniform: [20, 24, 3, 3], limit: 1, using: &random),
    ]
    let biases = [24, 20].map { Tensor(uniform: [$0], limit: 1, using: &random) }
    for pooled in [false, true] {
      let one = device(1)
      let map = convolved(input, weights: weights[0], bias: biases[0], pool: false, on: one)
      let expected = convolved(map, weights: weights[1], bias: biases[1], pool: pooled, on: one)
      for device in [one, device(3)] {
        let convolutions = [
          ConvolutionDescriptor(inputChannels: c, outputChannels: 24, pool: false),
          ConvolutionDescriptor(inputChannels: 24, outputChannels: 20, pool: pooled),
        ]
        let pair = try #require(ConvolutionPair(convolutions[0], convolutions[1]))
        let transformed = zip(convolutions, weights).map { transform($1, $0, device) }
        let parameters = zip(transformed, biases).map {
          ConvolutionParameters(transformed: $0.pointer, bias: $1.pointer)
        }
        var output = Tensor(zeros: expected.shape)
        pair(
          input.maps, parameters[0], parameters[1], into: output.mutableMaps(),
          workspace: ConvolutionWorkspace(), on: device)
        let isEmpty = pooled && min(h, w) == 1
        withExtendedLifetime((transformed, biases)) {
          #expect(isEmpty ? output.count == 0 : relativeError(output, expected) < 2e-6)
        }
      }
    }
    let wide = ConvolutionDescriptor(inputChannels: 24, outputChannels: 20, pool: true)
    #expect(ConvolutionPair(wide, wide) == nil)
  }

  /// Small tiles for one small map of wide channels, whose weights are most of the bytes; else large ones.
  @Test func tilesFitTheWork() {
    func maps(_ images: Int, _ side: Int, _ channels: Int) -> MapShape {
      MapShape(images: images, height: side, width: side, channels: channels)
    }
    let wide = ConvolutionDescriptor(inputChannels: 512, outputChannels: 512, pool: true)
    #expect(wide.fitted(to: maps(1, 14, 512)).tile == .two)
    #expect(wide.fitted(to: maps(8, 14, 512)).tile == .four)
    #expect(wide.fitted(to: maps(1, 28, 512)).tile == .four)
    #expect(wide.fitted(to: maps(1, 14, 512)).pool)
    let narrow = ConvolutionDescriptor(inputChannels: 64, outputChannels: 64, pool: false)
    #expect(narrow.fitted(to: maps(1, 14, 64)) == narrow)
  }

  private func convolved(
    _ x: Tensor, weights: Tensor, bias: Tensor, pool: Bool, _ tile: WinogradTile = .four,
    arithmetic: Arithmetic = .float32, on device: Device
  ) -> Tensor {
    let convolution = ConvolutionDescriptor(
      inputChannels: x.shape[3], outputChannels: weights.shape[0], pool: pool, tile: tile,
      arithmetic: arithmetic)
    let transformed = transform(weights, convolution, device)
    let shape = convolution.output(of: x.maps.shape)
    var y = Tensor(zeros: [shape.images, shape.height, shape.width, shape.channels])
    convolve(
      x.maps, convolution, ConvolutionParameters(transformed: transformed.pointer, bias: bias.pointer),
      into: y.mutableMaps(), workspace: ConvolutionWorkspace(), on: device)
    return withExtendedLifetime((x, transformed, bias)) { y }
  }

  private func transform(_ weights: Tensor, _ convolution: ConvolutionDescriptor, _ device: Device) -> Tensor
  {
    var transformed = Tensor(uninitialized: [convolution.transformedCount])
    transformWeights(
      convolution, into: transformed.mutablePointer(), workspace: ConvolutionWorkspace(), on: device
    ) {
      $1.update(from: weights.pointer + $0.lowerBound, count: $0.count)
    }
    return transformed
  }
}
