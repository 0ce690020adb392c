import Kernels
import Support
import Tensors
import TestSupport
import Testing

/// A convolution's forward pass and what its backward pass wrote.
private struct Passes {
  var output: Tensor
  var chosen: [UInt8] = []
  var weight, bias, input: Tensor

  init(
    x: Tensor, weights: Tensor, bias b: Tensor, dy: Tensor, pool: Bool, threads: Int = 1,
    accumulatingOnto start: Float? = nil
  ) {
    let k = weights.shape[0]
    let convolution = ConvolutionDescriptor(inputChannels: x.shape[3], outputChannels: k, pool: pool)
    let shape = convolution.output(of: x.maps.shape)
    let workspace = ConvolutionWorkspace()
    let device = device(threads)
    var transformed = Tensor(uninitialized: [convolution.transformedCount])
    transformWeights(convolution, into: transformed.mutablePointer(), workspace: workspace, on: device) {
      $1.update(from: weights.pointer + $0.lowerBound, count: $0.count)
    }
    let parameters = ConvolutionParameters(transformed: transformed.pointer, bias: b.pointer)
    output = Tensor(repeating: .nan, [shape.images, shape.height, shape.width, k])
    if pool {
      chosen = [UInt8](repeating: 9, count: output.count)
      convolveChoosing(
        x.maps, convolution, parameters, into: output.mutableMaps(), chosen: &chosen, workspace: workspace,
        on: device)
    } else {
      convolve(
        x.maps, convolution, parameters, into: output.mutableMaps(), workspace: workspace, on: device)
    }
    weight = Tensor(repeating: start ?? .nan, weights.shape)
    bias = Tensor(repeating: start ?? .nan, b.shape)
    input = Tensor(repeating: .nan, x.shape)
    let (y, choices) = (output, chosen)
    let gradients = ConvolutionGradients(
      weight: weight.mutablePointer(), bias: bias.mutablePointer(), input: input.mutablePointer(),
      accumulate: start != nil)
    choices.withUnsafeBufferPointer {
      convolveBackward(
        x.maps, convolution,
        OutputGradient(dy.pointer, output: y.pointer, chosen: pool ? $0.baseAddress! : nil),
        transformed: transformed.pointer, into: gradients, workspace: workspace, on: device)
    }
  }
}

/// δw, δb and δx by their definitions, in double precision; `full` is the gradient before ReLU and pool.
private func definition(_ x: Tensor, _ weights: Tensor, full: Tensor) -> (w: [Float], b: [Float], x: [Float])
{
  let (n, h, w, c, k) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3], weights.shape[0])
  var (dw, db, dx) = (
    [Double](repeating: 0, count: weights.count), [Double](repeating: 0, count: k),
    [Double](repeating: 0, count: x.count)
  )
  let (xs, ws, ys) = (x.scalars, weights.scalars, full.scalars)
  for place in 0..<n * h * w {
    let (row, column, image) = (place / w % h, place % w, place / (h * w))
    for output in 0..<k where ys[place * k + output] != 0 {
      let g = Double(ys[place * k + output])
      db[output] += g
      for i in 0..<9 {
        let (y, x) = (row + i / 3 - 1, column + i % 3 - 1)
        guard y >= 0, y < h, x >= 0, x < w else { continue }
        let pixel = ((image * h + y) * w + x) * c
        for input in 0..<c {
          dw[(output * c + input) * 9 + i] += g * Double(xs[pixel + input])
          dx[pixel + input] += g * Double(ws[(output * c + input) * 9 + i])
        }
      }
    }
  }
  return (dw.map { Float($0) }, db.map { Float($0) }, dx.map { Float($0) })
}

/// The gradient before ReLU and pool of a naive map: the window's first largest pixel, if above zero, gets it.
private func unpooled(_ dy: Tensor, map: Tensor) -> Tensor {
  let (n, h, w, k) = (map.shape[0], map.shape[1], map.shape[2], map.shape[3])
  var full = [Float](repeating: 0, count: map.count)
  for place in 0..<dy.count {
    let (channel, x) = (place % k, place / k % (w / 2))
    let (y, image) = (place / k / (w / 2) % (h / 2), place / k / (w / 2) / (h / 2))
    precondition(image < n)
    let window = [(0, 0), (0, 1), (1, 0), (1, 1)].map {
      ((image * h + 2 * y + $0.0) * w + 2 * x + $0.1) * k + channel
    }
    let best = window.max { (map[$0], -$0) < (map[$1], -$1) }!
    if map[best] > 0 { full[best] = dy[place] }
  }
  return Tensor(full, map.shape)
}

@Suite struct ConvolutionBackwardTests {
  /// Odd sizes, channel counts that no vector width divides, several images and blocks, both paths, with and without
  /// a pool.
  @Test(arguments: [
    (1, 5, 7, 16, 16), (2, 8, 8, 32, 48), (1, 1, 1, 16, 8), (3, 13, 6, 20, 19), (1, 9, 17, 3, 24),
    (2, 4, 3, 1, 5), (1, 34, 5, 4, 4), (3, 52, 52, 16, 17),
  ])
  func agreesWithTheDefinition(n: Int, h: Int, w: Int, c: Int, k: Int) {
    var random = Random(seed: UInt64(n * 1000 + h * 100 + w * 10 + c))
    let x = Tensor(uniform: [n, h, w, c], limit: 1, using: &random)
    let weights = Tensor(uniform: [k, c, 3, 3], limit: 1, using: &random)
    let bias = Tensor(uniform: [k], limit: 1, using: &random)
    for pool in [false, true] where !pool || min(h, w) > 1 {
      let dy = Tensor(uniform: pool ? [n, h / 2, w / 2, k] : [n, h, w, k], limit: 1, using: &random)
      let map = convolveNaively(x, weights: weights, bias: bias, pool: false)
      let full =
        pool
        ? unpooled(dy, map: map) : Tensor(zip(dy.scalars, map.scalars).map { $1 > 0 ? $0 : 0 }, map.shape)
      let expected = definition(x, weights, full: full)
      let one = Passes(x: x, weights: weights, bias: bias, dy: dy, pool: pool)
      #expect(relativeError(one.weight.scalars, expected.w) < 1e-5, "pool \(pool)")
      #expect(relativeError(one.bias.scalars, expected.b) < 1e-5, "pool \(pool)")
      #expect(relativeError(one.input.scalars, expected.x) < 1e-5, "pool \(pool)")
      let three = Passes(x: x, weights: weights, bias: bias, dy: dy, pool: pool, threads: 3)
      #expect(one.weight == three.weight && one.bias == three.bias && one.input == three.input)
      #expect(one.output == three.output && one.chosen == three.chosen)
      // What was there is kept and added to.
      let more = Passes(x: x, weights: weights, bias: bias, dy: dy, pool: pool, accumulatingOnto: 3)
      #expect(relativeError(more.weight.scalars, expected.w.map { $0 + 3 }) < 1e-5)
      #expect(relativeError(more.bias.scalars, expected.b.map { $0 + 3 }) < 1e-5)
      #expect(more.input == one.input)
    }
  }

  /// Of equal pixels the first is chosen, as PyTorch; where all are zero or below, none.
  @Test func poolsChooseTheFirstOfEquals() {
    // The weight copies the pixel in the middle.
    for c in [1, 16, 19] {
      var values: [Float] = []
      for window: [Float] in [
        [2, 2, 1, 2], [1, 3, 3, 3], [0, 0, 0, 0], [-1, -2, 0, -3], [0, 0, 0, 5], [1, 0, 4, 0],
      ] {
        values += window
      }
      var x = Tensor(zeros: [6, 2, 2, c])
      for (place, value) in values.enumerated() { for i in 0..<c { x[place * c + i] = value } }
      var weights = Tensor(zeros: [c, c, 3, 3])
      for i in 0..<c { weights[(i * c + i) * 9 + 4] = 1 }
      let dy = Tensor(repeating: 1, [6, 1, 1, c])
      let passes = Passes(x: x, weights: weights, bias: Tensor(zeros: [c]), dy: dy, pool: true)
      let expected: [UInt8] = [0, 1, 4, 4, 3, 2]
      // Winograd rounds: only what it leaves equal or exact can be compared.
      if c < 16 { #expect(passes.chosen == expected.flatMap { [UInt8](repeating: $0, count: c) }) }
      for (window, choice) in expected.enumerated() where c < 16 {
        for pixel in 0..<4 {
          #expect(abs(passes.input[(window * 4 + pixel) * c] - (pixel == Int(choice) ? 1 : 0)) < 1e-6)
        }
      }
    }
  }

  /// Averages and their gradient are adjoint: ⟨pool(x), g⟩ = ⟨x, backward(g)⟩; cells overlap, repeat, or divide.
  @Test(arguments: [(7, 7, 2), (5, 8, 3), (1, 2, 4), (6, 4, 2)])
  func averagePoolBackwardIsTheAdjoint(h: Int, w: Int, side: Int) {
    var random = Random(seed: 3)
    let x = Tensor(uniform: [2, h, w, 5], limit: 1, using: &random)
    let g = Tensor(uniform: [2, 5 * side * side], limit: 1, using: &random)
    var dx = Tensor(repeating: .nan, x.shape)
    adaptiveAveragePoolBackward(g.matrix, side: side, into: dx.mutableMaps())
    let dot = { (a: Tensor, b: Tensor) in
      zip(a.scalars, b.scalars).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
    }
    #expect(abs(dot(adaptiveAveragePool(x, side: side), g) - dot(x, dx)) < 1e-5)
  }
}
