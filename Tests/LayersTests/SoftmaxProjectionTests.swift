import Kernels
import Layers
import Support
import Tensors
import TestSupport
import Testing

@Suite struct SoftmaxProjectionTests {
  /// More positions than two blocks: what one leaves, the next adds to.
  @Test(arguments: [0, 0.5] as [Float], [false, true]) func gradientsAreSlopes(
    rate: Float, weighted: Bool
  ) throws {
    let (positions, size, words) = (1100, 3, 5)
    var random = Random(seed: 12)
    var layer = SoftmaxProjection("output", hidden: size, vocabularySize: words) {
      $0.untrained(using: &random)
    }
    layer.visitParameters { $0.value = Tensor(uniform: $0.value.shape, limit: 1, using: &random) }
    let h = Tensor(uniform: [positions, size], limit: 1, using: &random)
    let targets = (0..<positions).map { _ in Int32(random.next() % UInt64(words)) }
    let dropout = Dropout(rate: rate, seed: 99)
    // Some positions count for nothing, some are to become less likely.
    let weights = weighted ? (0..<positions).map { Float($0 % 4) - 1 } : nil
    var trace = SoftmaxProjection.Trace()

    func loss(_ layer: SoftmaxProjection, _ h: Tensor) -> Double {
      var (layer, dh) = (layer, h)
      let logProbabilities = layer.forwardBackward(
        h.matrix, targets: targets, dropout: dropout, gradient: .init(scale: 1, weights: weights),
        dh: dh.mutableMatrix(), trace: &trace, on: .cpu)
      return -zip(logProbabilities, weights ?? logProbabilities.map { _ in 1 }).reduce(0) {
        $0 + Double($1.0) * Double($1.1)
      }
    }
    var dh = Tensor(uninitialized: h.shape)
    let logProbabilities = layer.forwardBackward(
      h.matrix, targets: targets, dropout: dropout, gradient: .init(scale: 1, weights: weights),
      dh: dh.mutableMatrix(), trace: &trace, on: .cpu)
    if rate == 0 {
      #expect(layer.forward(h.matrix, targets: targets, trace: &trace, on: .cpu) == logProbabilities)
    }
    #expect(gradientDisagreement(dh, at: h) { loss(layer, $0) } < 2e-3)
    for (index, parameter) in layer.parameters.enumerated() {
      let error = gradientDisagreement(try #require(parameter.gradient), at: parameter.value) { value in
        var moved = layer
        if index == 0 { moved.linear.weight.value = value } else { moved.linear.bias?.value = value }
        return loss(moved, h)
      }
      #expect(error < 2e-3, "\(parameter.path)")
    }
  }
}
