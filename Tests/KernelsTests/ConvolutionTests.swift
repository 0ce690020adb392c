import CKernels
import Support
import Tensors
import TestSupport
import Testing

@testable import Kernels

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
            input, weights: weights, bias: bias, pool: pool, tile, threads: ThreadPool(threads: threads))
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
    let one = convolved(input, weights: weights, bias: bias, pool: true, threads: ThreadPool(threads: 1))
    let four = convolved(input, weights: weights, bias: bias, pool: true, threads: ThreadPool(threads: 4))
    #expect(one == four)
    #expect(relativeError(one, convolveNaively(input, weights: weights, bias: bias, pool: true)) < 5e-6)
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
        input, weights: weights, bias: bias, pool: true, tile, threads: ThreadPool(threads: 1))
      let rounded = [1, 3].map {
        convolved(
          input, weights: weights, bias: bias, pool: true, tile, arithmetic: .bfloat16,
          threads: ThreadPool(threads: $0))
      }
      #expect(rounded[0] == rounded[1])
      // 2^-9 a factor, times what the transforms make of it.
      let error = relativeError(rounded[0], exact)
      #expect(error > 1e-4 && error < (tile == .two ? 6e-3 : 4e-2), "\(tile): \(error)")
    }
  }

  /// Channels that the rounded kernels don't divide are multiplied as they are.
  @Test func bfloatFallsBack() {
    let shape = ConvolutionShape(inputChannels: 20, outputChannels: 32, pool: true, arithmetic: .bfloat16)
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
    agree(points * ConvolutionShape(inputChannels: c, outputChannels: k, pool: false).transformedPlane) {
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
      let one = ThreadPool(threads: 1)
      let map = convolved(input, weights: weights[0], bias: biases[0], pool: false, threads: one)
      let expected = convolved(map, weights: weights[1], bias: biases[1], pool: pooled, threads: one)
      for threads in [one, ThreadPool(threads: 3)] {
        let shapes = [
          ConvolutionShape(inputChannels: c, outputChannels: 24, pool: false),
          ConvolutionShape(inputChannels: 24, outputChannels: 20, pool: pooled),
        ]
        let pair = try #require(ConvolutionPair(shapes[0], shapes[1]))
        let transformed = zip(shapes, weights).map { transform($1, $0, threads) }
        let parameters = zip(transformed, biases).map {
          ConvolutionParameters(transformed: $0.pointer, bias: $1.pointer)
        }
        var output = Tensor(zeros: expected.shape)
        pair(
          input.pointer, images: n, height: h, width: w, parameters[0], parameters[1],
          into: output.mutablePointer(), workspace: ConvolutionWorkspace(), pool: threads)
        let isEmpty = pooled && min(h, w) == 1
        withExtendedLifetime((transformed, biases)) {
          #expect(isEmpty ? output.count == 0 : relativeError(output, expected) < 2e-6)
        }
      }
    }
    let wide = ConvolutionShape(inputChannels: 24, outputChannels: 20, pool: true)
    #expect(ConvolutionPair(wide, wide) == nil)
  }

  /// Small tiles for one small map of wide channels, whose weights are most of the bytes; else large ones.
  @Test func tilesFitTheWork() {
    let wide = ConvolutionShape(inputChannels: 512, outputChannels: 512, pool: true)
    #expect(wide.fitted(images: 1, height: 14, width: 14).tile == .two)
    #expect(wide.fitted(images: 8, height: 14, width: 14).tile == .four)
    #expect(wide.fitted(images: 1, height: 28, width: 28).tile == .four)
    #expect(wide.fitted(images: 1, height: 14, width: 14).pool)
    let narrow = ConvolutionShape(inputChannels: 64, outputChannels: 64, pool: false)
    #expect(narrow.fitted(images: 1, height: 14, width: 14) == narrow)
  }

  private func convolved(
    _ input: Tensor, weights: Tensor, bias: Tensor, pool: Bool, _ tile: WinogradTile = .four,
    arithmetic: Arithmetic = .float32, threads: ThreadPool
  ) -> Tensor {
    let (n, h, w) = (input.shape[0], input.shape[1], input.shape[2])
    let shape = ConvolutionShape(
      inputChannels: input.shape[3], outputChannels: weights.shape[0], pool: pool, tile: tile,
      arithmetic: arithmetic)
    let transformed = transform(weights, shape, threads)
    let size = shape.outputSize(height: h, width: w)
    var output = Tensor(zeros: [n, size.height, size.width, shape.outputChannels])
    convolve(
      input.pointer, images: n, height: h, width: w, shape: shape, transformed: transformed.pointer,
      bias: bias.pointer, into: output.mutablePointer(), workspace: ConvolutionWorkspace(), pool: threads)
    return output
  }

  private func transform(_ weights: Tensor, _ shape: ConvolutionShape, _ threads: ThreadPool) -> Tensor {
    var transformed = Tensor(uninitialized: [shape.transformedCount])
    let workspace = ConvolutionWorkspace()
    transformWeights(shape: shape, into: transformed.mutablePointer(), workspace: workspace, pool: threads) {
      $1.update(from: weights.pointer + $0.lowerBound, count: $0.count)
    }
    return transformed
  }
}
