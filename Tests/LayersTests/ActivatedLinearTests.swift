import Foundation
import Kernels
import Layers
import Support
import Tensors
import TestSupport
import Testing

@Suite struct ActivatedLinearTests {
  private static let others = ActivationName.allCases.filter { $0 != .relu }

  /// y and every gradient, as PyTorch has them: made by tools/golden/head.py.
  @Test(arguments: others) func agreesWithTorch(activation: ActivationName) throws {
    let file = try SafetensorsFile(path: fixture("activations.safetensors"))
    func golden(_ name: String) throws -> Tensor { try file.tensor(named: "\(activation.rawValue).\(name)") }
    let names = ["l.weight": "weight", "l.bias": "bias", "s.weight": "slope"]
    var layer = try ActivatedLinear(
      "l", slopePath: "s", inputs: 7, outputs: 6, activation: activation
    ) { try golden(names[$0.path] ?? "").reshaped($0.shape) }
    #expect((layer.slope != nil) == (activation == .prelu))
    let (y, trace) = layer.forward(try golden("x"), .none, on: .cpu)
    #expect(relativeError(y, try golden("y")) < 1e-6)
    var dx = Tensor(uninitialized: [5, 7])
    var dy = try golden("dy")
    layer.backward(&dy, trace, into: dx.mutableMatrix(), on: .cpu)
    #expect(relativeError(dx, try golden("gradient.x")) < 1e-6)
    for parameter in layer.parameters {
      let expected = try golden("gradient." + (names[parameter.path] ?? ""))
      #expect(relativeError(try #require(parameter.gradient), expected) < 1e-6, "\(parameter.path)")
    }
  }

  /// Under dropout, of sizes that leave lanes over, with any number of threads.
  @Test(arguments: ActivationName.allCases) func gradientsAreSlopes(activation: ActivationName) {
    var random = Random(seed: 7)
    var layer = ActivatedLinear("l", slopePath: "s", inputs: 5, outputs: 37, activation: activation) {
      specification in
      // Sums stay off the corners, of maxout one piece far above the other; what is smooth would be flat there.
      guard specification.path == "l.bias" else { return specification.untrained(using: &random) }
      let size: Float = [.tanh, .sigmoid].contains(activation) ? 0.5 : 3
      return Tensor(
        (0..<specification.shape.count).map { $0 % 2 == 0 ? size : -size }, specification.shape)
    }
    let x = Tensor(uniform: [9, 5], limit: 0.5, using: &random)
    let dy = Tensor(uniform: [9, 37], limit: 1, using: &random)
    let dropout = Dropout(rate: 0.4, seed: 3)
    func loss(_ layer: ActivatedLinear, _ x: Tensor) -> Double {
      zip(layer.forward(x, dropout, on: .cpu).output.scalars, dy.scalars)
        .reduce(0) { $0 + Double($1.0) * Double($1.1) }
    }
    let start = layer
    var dx = Tensor(uninitialized: x.shape)
    var results: [[Tensor]] = []
    for threads in [1, 3] {
      let device = Device(pool: ThreadPool(threads: threads))
      let (y, trace) = layer.forward(x, dropout, on: device)
      #expect(y.scalars.contains(0))
      var gradient = dy
      layer.backward(&gradient, trace, into: dx.mutableMatrix(), on: device)
      results.append([y, dx] + layer.parameters.map { $0.gradient! })
    }
    #expect(results[0] == results[1])
    #expect(gradientDisagreement(dx, at: x, step: 0.01) { loss(start, $0) } < 5e-3)
    for parameter in layer.parameters {
      let error = gradientDisagreement(parameter.gradient!, at: parameter.value, step: 0.01) { value in
        var moved = start
        moved.visitParameters { if $0.path == parameter.path { $0.value = value } }
        return loss(moved, x)
      }
      #expect(error < 5e-3, "\(parameter.path)")
    }
  }

  /// Every instruction set gives the same within rounding, far from zero too.
  @Test(arguments: InstructionSet.available) func everyInstructionSet(set: InstructionSet) {
    let x = Tensor((0..<263).map { Float($0 - 131) * 0.9 }, [1, 263])
    for activation in ActivationName.allCases where activation != .maxout {
      var y = Tensor(uninitialized: x.shape)
      activate(
        x.matrix, activation, slope: activation.slope, into: y.mutableMatrix(),
        on: Device(instructions: set))
      let expected = x.scalars.map { Self.reference(activation, Double($0)) }
      for (found, expected) in zip(y.scalars, expected) {
        #expect(abs(Double(found) - expected) < 3e-7 * max(1, abs(expected)), "\(activation)")
      }
    }
  }

  private static func reference(_ activation: ActivationName, _ x: Double) -> Double {
    switch activation {
    case .relu, .maxout: max(0, x)
    case .leakyReLU: x > 0 ? x : 0.01 * x
    case .prelu: x > 0 ? x : 0.25 * x
    case .elu: x > 0 ? x : exp(x) - 1
    case .tanh: tanh(x)
    case .sigmoid: 1 / (1 + exp(-x))
    }
  }
}
