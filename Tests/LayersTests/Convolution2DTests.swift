import Kernels
import Layers
import Support
import Tensors
import TestSupport
import Testing

@Suite struct Convolution2DTests {
  /// Every gradient against central differences, by Winograd and directly, with and without a pool. Biases keep the
  /// sums off ReLU's corner; a pool's corners are left to chance and the tolerance.
  @Test(arguments: [(16, 9, false), (16, 9, true), (3, 8, false), (3, 8, true), (19, 5, false)])
  func gradientsAreSlopes(c: Int, k: Int, pools: Bool) {
    var random = Random(seed: UInt64(c * 10 + k))
    let descriptor = ConvolutionDescriptor(inputChannels: c, outputChannels: k, pool: pools)
    let (n, h, w) = (2, 6, 7)
    var layer = Convolution2D("l", descriptor) { $0.untrained(using: &random) }
    layer.bias.value = Tensor((0..<k).map { $0 % 2 == 0 ? 4 : -4 }, [k])
    let x = Tensor(uniform: [n, h, w, c], limit: 1, using: &random)
    let shape = descriptor.output(of: x.maps.shape)
    let dy = Tensor(uniform: [n, shape.height, shape.width, k], limit: 1, using: &random)
    let workspace = ConvolutionWorkspace()
    var trace = Convolution2D.Trace()

    func output(_ layer: Convolution2D, _ x: Tensor) -> Tensor {
      var y = Tensor(zeros: dy.shape)
      layer.transform(into: &trace, workspace: workspace, on: .cpu)
      layer.forward(x.maps, into: y.mutableMaps(), &trace, workspace: workspace, on: .cpu)
      return y
    }
    func loss(_ layer: Convolution2D, _ x: Tensor) -> Double {
      zip(output(layer, x).scalars, dy.scalars).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    }

    let y = output(layer, x)
    var dx = Tensor(uninitialized: x.shape)
    layer.backward(
      x.maps, OutputGradient(dy.pointer, output: y.pointer), into: dx.mutablePointer(), &trace,
      workspace: workspace, on: .cpu)
    let (dw, db) = (layer.weight.gradient!, layer.bias.gradient!)
    let fixed = layer
    // A step so short that few windows change their largest pixel on the way.
    let (step, tolerance): (Float, Double) = pools ? (0.004, 2e-2) : (0.02, 5e-3)
    #expect(gradientDisagreement(dx, at: x, step: step) { loss(fixed, $0) } < tolerance)
    let byWeight = gradientDisagreement(dw, at: fixed.weight.value, step: step) {
      var moved = fixed
      moved.weight.value = $0
      return loss(moved, x)
    }
    #expect(byWeight < tolerance)
    let byBias = gradientDisagreement(db, at: fixed.bias.value, step: step) {
      var moved = fixed
      moved.bias.value = $0
      return loss(moved, x)
    }
    #expect(byBias < tolerance)
  }
}
