import Foundation
import Kernels
import Layers
import TestSupport
import Tensors
import Testing

/// The rules of tools/golden/layers.py and their learning rates.
private let rules: [(name: String, rule: OptimizerRule, rate: Float)] = [
  ("sgd", .sgd(), 0.05), ("momentum", .sgd(momentum: 0.9), 0.05),
  ("nesterov", .sgd(momentum: 0.9, nesterov: true), 0.05), ("adagrad", .adagrad(), 0.1),
  ("rmsprop", .rmsprop(), 0.01), ("adam", .adam(), 0.01), ("adamw", .adamw(), 0.01),
]

@Suite struct OptimizerTests {
  /// Twenty steps of torch.optim, with and without weight decay; a gradient of zero moves nothing by itself.
  @Test(arguments: rules.indices, [0, 0.1] as [Float]) func agreesWithPyTorch(index: Int, decay: Float) throws
  {
    let (name, rule, rate) = rules[index]
    let golden = try Golden("optimizer")
    let (start, gradients) = (try golden("start"), try golden("gradients"))
    let values = try golden(decay == 0 ? name : name + ".decay")
    for instructions in InstructionSet.available {
      var module = Single("value", start)
      var optimizer = Optimizer(rule, learningRate: rate, weightDecay: decay)
      for step in 0..<20 {
        module.setGradient(gradients.row(step))
        optimizer.update(&module, on: Device(instructions: instructions))
        let error = relativeError(module.parameter.value, values.row(step))
        #expect(error < 1e-6, "\(name), step \(step), \(instructions)")
      }
      #expect(optimizer.step == 20 && optimizer.moments["value"]?.count == rule.momentNames.count)
      #expect((module.parameter.value[36] == start[36]) == (decay == 0))
    }
  }

  /// What a checkpoint keeps is all there is: the same bits as without the stop.
  @Test(arguments: rules.indices) func goesOnWhereItLeftOff(index: Int) throws {
    let gradients = try Golden("optimizer")("gradients")
    func taking(_ steps: Range<Int>, _ module: inout Single, _ optimizer: inout Optimizer) {
      for step in steps {
        module.setGradient(gradients.row(step))
        optimizer.update(&module, clipNorm: 1, on: .cpu)
      }
    }
    let fresh = Optimizer(rules[index].rule, learningRate: 0.05, weightDecay: 0.1)
    var (whole, one) = (Single("value", try Golden("optimizer")("start")), fresh)
    var (parted, two) = (whole, fresh)
    taking(0..<20, &whole, &one)
    taking(0..<7, &parted, &two)
    var resumed = fresh
    resumed.restore(step: two.step, moments: two.moments)
    taking(7..<20, &parted, &resumed)
    #expect(parted.parameter.value == whole.parameter.value && resumed.moments == one.moments)
  }

  @Test func parametersWithoutAGradientStay() {
    var pair = Pair(
      first: Single("a", Tensor(repeating: 1, [3])), second: Single("b", Tensor(repeating: 1, [2])))
    pair.second.setGradient(Tensor(repeating: 1, [2]))
    var optimizer = Optimizer(.adamw(), learningRate: 0.1, weightDecay: 0.5)
    optimizer.update(&pair, on: .cpu)
    #expect(pair.first.parameter.value == Tensor(repeating: 1, [3]) && optimizer.moments["a"] == nil)
    #expect(pair.second.parameter.value != Tensor(repeating: 1, [2]))
  }

  /// Clipping acts on the norm over all parameters, as clip_grad_norm_ does; a small norm stays.
  @Test func clipping() throws {
    let golden = try Golden("clip")
    let (a, b) = (try golden("a"), try golden("b"))
    var pair = Pair(
      first: Single("a", Tensor(zeros: a.shape)), second: Single("b", Tensor(zeros: b.shape)))
    pair.first.setGradient(a)
    pair.second.setGradient(b)
    var optimizer = Optimizer(.adam(), learningRate: 1)
    let norm = optimizer.update(&pair, clipNorm: 5, on: .cpu)
    #expect(abs(norm / (try golden("norm")[0]) - 1) < 1e-6)
    // m = 0.1·g after the first step shows the gradient that was used.
    for name in ["a", "b"] {
      let used = try #require(optimizer.moments[name]?[0].scalars.map { $0 * 10 })
      #expect(relativeError(used, try golden("clipped." + name).scalars) < 1e-5)
    }
    let small = try golden("small.a")
    var single = Single("a", Tensor(zeros: small.shape))
    single.setGradient(small)
    var second = Optimizer(.adam(), learningRate: 1)
    second.update(&single, clipNorm: 5, on: .cpu)
    #expect(
      relativeError(try #require(second.moments["a"]?[0].scalars.map { $0 * 10 }), small.scalars) < 1e-6)
  }

  @Test func stepsWithoutAFiniteNormAreSkipped() {
    var module = Single("a", Tensor(repeating: 1, [3]))
    module.setGradient(Tensor([1, .nan, 2], [3]))
    var optimizer = Optimizer(.adam(), learningRate: 1)
    #expect(optimizer.update(&module, on: .cpu).isNaN)
    #expect(optimizer.step == 0 && module.parameter.value == Tensor(repeating: 1, [3]))
  }
}

/// A module of one parameter.
private struct Single: Module {
  var parameter: Parameter
  init(_ path: String, _ value: Tensor) {
    parameter = Parameter(path, value.shape, .zero) { _ in value }
  }
  mutating func visitParameters<E: Error>(_ visit: (inout Parameter) throws(E) -> Void) throws(E) {
    try visit(&parameter)
  }
  mutating func setGradient(_ gradient: Tensor) {
    parameter.gradientPointer().update(from: gradient.pointer, count: gradient.count)
  }
}

private struct Pair: Module {
  var first: Single
  var second: Single
  mutating func visitParameters<E: Error>(_ visit: (inout Parameter) throws(E) -> Void) throws(E) {
    try first.visitParameters(visit)
    try second.visitParameters(visit)
  }
}
