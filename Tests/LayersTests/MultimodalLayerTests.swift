import Kernels
import Layers
import Support
import Tensors
import TestSupport
import Testing

@Suite struct MultimodalLayerTests {
  /// Of some positions about two images: every parameter, word, state and image.
  @Test func gradientsAreSlopes() throws {
    let places: [Int32] = [0, 1, 1, 0, 1]
    var random = Random(seed: 70)
    func uniform(_ shape: Shape) -> Tensor { Tensor(uniform: shape, limit: 1, using: &random) }
    var layer = MultimodalLayer("path", .init(word: 3, state: 4, image: 6, outputs: 5)) {
      uniform($0.shape)
    }
    let (x, h, v) = (uniform([5, 3]), uniform([5, 4]), uniform([2, 6]))
    let slopes = uniform([5, 5])
    func output(_ layer: MultimodalLayer, _ x: Tensor, _ h: Tensor, _ v: Tensor) -> Tensor {
      var m = Tensor(uninitialized: [5, 5])
      let context = layer.context(of: ImageFeatures(v: v), on: .cpu)
      places.withUnsafeBufferPointer {
        layer.forward(x.matrix, h.matrix, images: $0, context, into: m.mutableMatrix(), on: .cpu)
      }
      return m
    }
    func loss(_ layer: MultimodalLayer, _ x: Tensor, _ h: Tensor, _ v: Tensor) -> Double {
      zip(output(layer, x, h, v).scalars, slopes.scalars).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    }
    var (dm, dh, dx) = (slopes, Tensor(uninitialized: h.shape), Tensor(zeros: x.shape))
    var trace = MultimodalLayer.Trace()
    let m = output(layer, x, h, v)
    let dv = layer.backward(
      of: ImageFeatures(v: v), at: places, (x.matrix, h.matrix), m.matrix,
      gradients: (dm.mutableMatrix(), dh.mutableMatrix()), trace: &trace, on: .cpu)
    withExtendedLifetime((x, h, m)) {}
    layer.addWordGradient(dm.matrix, to: dx.mutableMatrix(), on: .cpu)
    #expect(gradientDisagreement(dx, at: x) { loss(layer, $0, h, v) } < 2e-3)
    #expect(gradientDisagreement(dh, at: h) { loss(layer, x, $0, v) } < 2e-3)
    #expect(gradientDisagreement(dv, at: v) { loss(layer, x, h, $0) } < 2e-3)
    for parameter in layer.parameters {
      let error = gradientDisagreement(try #require(parameter.gradient), at: parameter.value) { value in
        var moved = layer
        moved.visitParameters { if $0.path == parameter.path { $0.value = value } }
        return loss(moved, x, h, v)
      }
      #expect(error < 2e-3, "\(parameter.path)")
    }
  }

  /// LeCun's tangent: 1 stays 1, and nothing goes beyond 1.7159.
  @Test func theTangentIsScaled() {
    let layer = MultimodalLayer("path", .init(word: 1, state: 1, image: 1, outputs: 1)) {
      Tensor([$0.path.contains("word") ? 1 : 0], $0.shape)
    }
    for (word, expected) in [(0, 0), (1, 1), (-1, -1), (100, 1.7159)] as [(Float, Float)] {
      var m = Tensor(uninitialized: [1, 1])
      let context = layer.context(of: ImageFeatures(v: Tensor([1], [1, 1])), on: .cpu)
      let (x, h) = (Tensor([word], [1, 1]), Tensor([5], [1, 1]))
      [Int32(0)].withUnsafeBufferPointer {
        layer.forward(x.matrix, h.matrix, images: $0, context, into: m.mutableMatrix(), on: .cpu)
      }
      #expect(abs(m.scalars[0] - expected) < 1e-4)
    }
  }
}
