import Kernels
import Layers
import Support
import TestSupport
import Tensors
import Testing

/// PyTorch's values, made by tools/golden/side_tasks.py.
private func golden(_ name: String) throws -> Tensor {
  try SafetensorsFile(path: fixture("side_tasks.safetensors")).tensor(named: name)
}

@Suite struct ScoreClassifierTests {
  @Test func agreesWithPyTorch() throws {
    var layer = try ScoreClassifier("scores", features: 5, classes: 7) { try golden($0.path) }
    let (v, scores) = (try golden("scores.v"), try golden("scores.scores"))
    var dv = Tensor(uninitialized: v.shape)
    let loss = layer.forwardBackward(
      v.matrix, scores: scores.matrix, temperature: 2, weight: 0.7, dv: dv.mutableMatrix(), on: .cpu)
    #expect(abs(loss - Double(try golden("scores.loss").scalars[0])) < 1e-5)
    #expect(relativeError(dv, try golden("scores.gradient.v")) < 1e-5)
    for parameter in layer.parameters {
      let name = parameter.path.split(separator: ".")[1]
      #expect(relativeError(try #require(parameter.gradient), try golden("scores.gradient.\(name)")) < 1e-5)
    }
  }

  @Test(arguments: [1, 3] as [Float]) func gradientsAreSlopes(temperature: Float) throws {
    var random = Random(seed: 3)
    var layer = ScoreClassifier("teacher", features: 4, classes: 6) {
      Tensor(uniform: $0.shape, limit: 1, using: &random)
    }
    let v = Tensor(uniform: [5, 4], limit: 1, using: &random)
    let scores = Tensor(uniform: [5, 6], limit: 4, using: &random)
    func loss(_ layer: ScoreClassifier, _ v: Tensor, dv: inout Tensor) -> (Double, ScoreClassifier) {
      var layer = layer
      let loss = layer.forwardBackward(
        v.matrix, scores: scores.matrix, temperature: temperature, weight: 0.3, dv: dv.mutableMatrix(),
        on: .cpu)
      return (loss, layer)
    }
    var (dv, other) = (Tensor(uninitialized: v.shape), Tensor(uninitialized: v.shape))
    layer = loss(layer, v, dv: &dv).1
    #expect(gradientDisagreement(dv, at: v) { 0.3 * loss(layer, $0, dv: &other).0 } < 2e-3)
    for parameter in layer.parameters {
      let error = gradientDisagreement(try #require(parameter.gradient), at: parameter.value) { value in
        var moved = layer
        moved.visitParameters { if $0.path == parameter.path { $0.value = value } }
        return 0.3 * loss(moved, v, dv: &other).0
      }
      #expect(error < 2e-3, "\(parameter.path)")
    }
  }

  /// One who thinks as the teacher does has nothing to learn, whatever is added to all scores.
  @Test func agreementIsNoLoss() {
    var layer = ScoreClassifier("teacher", features: 3, classes: 3) {
      $0.shape.rank == 2 ? Tensor([1, 0, 0, 0, 1, 0, 0, 0, 1], [3, 3]) : Tensor(zeros: [3])
    }
    let v = Tensor([1, 2, 3, -80, 0, 80], [2, 3])
    let scores = Tensor([101, 102, 103, -180, -100, -20], [2, 3])
    var dv = Tensor(uninitialized: v.shape)
    let loss = layer.forwardBackward(
      v.matrix, scores: scores.matrix, temperature: 2, weight: 1, dv: dv.mutableMatrix(), on: .cpu)
    #expect(abs(loss) < 1e-5 && dv.scalars.allSatisfy { abs($0) < 1e-5 })
  }
}

@Suite struct LabelClassifierTests {
  private static let words: [[Int32]] = [[3], [4, 5], [8, 3, 6]]
  private static let labels: [Int32] = [0, 2, 1, 1, 0, 2]

  /// W_out, its gradient zero.
  private static func output(_ value: Tensor) -> Parameter {
    var output = Parameter("decoder.output.weight", value.shape, .zero) { _ in value }
    output.gradientPointer().update(repeating: 0, count: value.count)
    return output
  }

  @Test func agreesWithPyTorch() throws {
    var layer = try LabelClassifier("labels", features: 5, hidden: 4, words: Self.words) {
      try golden($0.path)
    }
    let v = try golden("labels.v")
    var (dv, output) = (Tensor(uninitialized: v.shape), Self.output(try golden("labels.output")))
    let loss = layer.forwardBackward(
      v.matrix, labels: Self.labels, weight: 0.7, output: &output, dv: dv.mutableMatrix(), on: .cpu)
    #expect(abs(loss - Double(try golden("labels.loss").scalars[0])) < 1e-5)
    #expect(relativeError(dv, try golden("labels.gradient.v")) < 1e-5)
    #expect(relativeError(try #require(output.gradient), try golden("labels.gradient.output")) < 1e-5)
    #expect(
      relativeError(try #require(layer.map.weight.gradient), try golden("labels.gradient.weight")) < 1e-5)
  }

  @Test func gradientsAreSlopes() throws {
    var random = Random(seed: 4)
    var layer = LabelClassifier("labels", features: 5, hidden: 4, words: Self.words) {
      Tensor(uniform: $0.shape, limit: 1, using: &random)
    }
    let v = Tensor(uniform: [6, 5], limit: 1, using: &random)
    var output = Self.output(Tensor(uniform: [9, 4], limit: 1, using: &random))
    func loss(_ layer: LabelClassifier, _ v: Tensor, _ rows: Tensor) -> Double {
      var (layer, output, dv) = (layer, Self.output(rows), Tensor(uninitialized: v.shape))
      return 0.7
        * layer.forwardBackward(
          v.matrix, labels: Self.labels, weight: 0.7, output: &output, dv: dv.mutableMatrix(), on: .cpu)
    }
    var dv = Tensor(uninitialized: v.shape)
    _ = layer.forwardBackward(
      v.matrix, labels: Self.labels, weight: 0.7, output: &output, dv: dv.mutableMatrix(), on: .cpu)
    let rows = output.value
    #expect(gradientDisagreement(dv, at: v) { loss(layer, $0, rows) } < 2e-3)
    #expect(gradientDisagreement(try #require(output.gradient), at: rows) { loss(layer, v, $0) } < 2e-3)
    let map = layer.map.weight
    let error = gradientDisagreement(try #require(map.gradient), at: map.value) {
      var moved = layer
      moved.map.weight.value = $0
      return loss(moved, v, rows)
    }
    #expect(error < 2e-3)
  }

  /// The gradient of W_out is added to what is there, and words of no label have none.
  @Test func addsToTheProjectionsGradient() throws {
    var random = Random(seed: 5)
    var layer = LabelClassifier("labels", features: 5, hidden: 4, words: Self.words) {
      $0.untrained(using: &random)
    }
    let v = Tensor(uniform: [6, 5], limit: 1, using: &random)
    var output = Self.output(Tensor(uniform: [9, 4], limit: 1, using: &random))
    output.gradientPointer().update(repeating: 2, count: 36)
    var dv = Tensor(uninitialized: v.shape)
    _ = layer.forwardBackward(
      v.matrix, labels: Self.labels, weight: 1, output: &output, dv: dv.mutableMatrix(), on: .cpu)
    let gradient = try #require(output.gradient)
    for word in [0, 1, 2, 7] { #expect(gradient.row(word) == Tensor([2, 2, 2, 2], [4])) }
    for word in [3, 4, 5, 6, 8] { #expect(gradient.row(word) != Tensor([2, 2, 2, 2], [4])) }
  }
}
