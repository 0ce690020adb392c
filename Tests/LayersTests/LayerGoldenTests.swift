import Foundation
import Kernels
import Layers
import TestSupport
import Tensors
import Testing

/// PyTorch's values, made by tools/golden/layers.py.
struct Golden {
  let file: SafetensorsFile
  let layer: String

  init(_ layer: String) throws {
    file = try SafetensorsFile(path: fixture("layers.safetensors"))
    self.layer = layer
  }

  func callAsFunction(_ name: String) throws -> Tensor { try file.tensor(named: "\(layer).\(name)") }
  func integers(_ name: String) throws -> [Int32] { try self(name).scalars.map { Int32($0) } }

  /// A layer's parameters from the fixture: `path` is what the layer calls it.
  func source(_ specification: ParameterSpecification) throws -> Tensor {
    let name = specification.path.split(separator: ".").last.map(String.init) ?? ""
    return try file.tensor(named: "\(layer).\(name)", shape: specification.shape)
  }

  func expectGradients(of module: some Module) throws {
    for parameter in module.parameters {
      let name = parameter.path.split(separator: ".").last.map(String.init) ?? ""
      #expect(relativeError(try #require(parameter.gradient), try self("gradient." + name)) < 1e-5, "\(name)")
    }
  }
}

@Suite struct LayerGoldenTests {
  @Test func linear() throws {
    let golden = try Golden("linear")
    var layer = try Linear("linear", inputs: 7, outputs: 6, from: golden.source)
    let (x, dy) = (try golden("x"), try golden("dy"))
    var (y, dx) = (Tensor(uninitialized: [5, 6]), Tensor(uninitialized: [5, 7]))
    layer.forward(x.matrix, into: y.mutableMatrix(), on: .cpu)
    layer.backward(x.matrix, dy.matrix, into: dx.mutableMatrix(), on: .cpu)
    #expect(relativeError(y, try golden("y")) < 1e-6)
    #expect(relativeError(dx, try golden("gradient.x")) < 1e-6)
    try golden.expectGradients(of: layer)
  }

  @Test func embedding() throws {
    let golden = try Golden("embedding")
    var layer = try Embedding("embedding", vocabularySize: 9, size: 4, from: golden.source)
    let (ids, dy) = (try golden.integers("ids"), try golden("dy"))
    var y = Tensor(uninitialized: [8, 4])
    layer.forward(ids, into: y.mutableMatrix(), on: .cpu)
    layer.backward(ids, dy.matrix, on: .cpu)
    #expect(y == (try golden("y")))
    try golden.expectGradients(of: layer)
  }

  /// One step of an LSTM from given h and c, and back.
  @Test func lstmStep() throws {
    let golden = try Golden("lstm")
    let layer = try Recurrent<LSTM>("lstm", inputs: 5, hidden: 6, from: golden.source)
    let states = [try golden("h"), try golden("c")]
    let (x, injected) = (try golden("x"), try golden("injected"))
    var sums = Tensor(uninitialized: [3, 24])
    layer.inputSums(
      Matrix(x.pointer, rows: 3, columns: 5),
      into: MutableMatrix(sums.mutablePointer(), rows: 3, columns: 24),
      on: .cpu)
    let before = CellStates(states.map { Matrix($0.pointer, rows: 3, columns: 6) })
    let weight = Matrix(try #require(layer.hiddenWeight).value.pointer, rows: 24, columns: 6)
    var h = Tensor(uninitialized: [3, 6])
    var c = h
    var tanhCells = h
    var scratch = Tensor(uninitialized: [3, 24])
    // The sums become the activated gates.
    let gates = MutableMatrix(sums.mutablePointer(), rows: 3, columns: 24)
    LSTM.step(
      CellStep(
        sums: GateSums(
          input: SharedRows(Matrix(gates)),
          context: SharedRows(Matrix(injected.pointer, rows: 3, columns: 24))),
        weight: weight, before: before,
        results: .init(
          states: [
            MutableMatrix(h.mutablePointer(), rows: 3, columns: 6),
            MutableMatrix(c.mutablePointer(), rows: 3, columns: 6),
          ], gates: gates, kept: MutableMatrix(tanhCells.mutablePointer(), rows: 3, columns: 6)),
        scratch: scratch.mutablePointer()), on: .cpu)
    #expect(relativeError(h, try golden("next_h")) < 1e-6)
    #expect(relativeError(c, try golden("next_c")) < 1e-6)
    let dh = try golden("dnext_h")
    var dc = try golden("dnext_c")
    var dBefore = Tensor(zeros: [3, 6])
    LSTM.stepBackward(
      CellStepBackward(
        record: .init(gates: gates, kept: Matrix(tanhCells.pointer, rows: 3, columns: 6), before: before),
        weight: weight,
        gradients: .init(
          hidden: Matrix(dh.pointer, rows: 3, columns: 6),
          others: [MutableMatrix(dc.mutablePointer(), rows: 3, columns: 6)],
          hiddenBefore: MutableMatrix(dBefore.mutablePointer(), rows: 3, columns: 6)),
        scratch: scratch.mutablePointer()), on: .cpu)
    #expect(relativeError(sums, try golden("gradient.gates")) < 1e-5)
    #expect(relativeError(dc, try golden("gradient.c")) < 1e-5)
    #expect(relativeError(dBefore, try golden("gradient.h")) < 1e-5)
    withExtendedLifetime((states, x, injected, layer, dh, tanhCells, scratch, sums)) {}
  }

  @Test(arguments: ["plain", "huge", "wide"]) func crossEntropy(name: String) throws {
    let golden = try Golden("entropy." + name)
    var logits = try golden("logits")
    let targets = try golden.integers("targets")
    var logProbabilities = [Float](repeating: 0, count: targets.count)
    softmaxCrossEntropy(
      logits.mutableMatrix(), bias: nil, targets: targets, gradient: .init(scale: 1 / Float(targets.count)),
      into: &logProbabilities, on: .cpu)
    #expect(relativeError(logProbabilities, try golden("log_probs").scalars) < 1e-6)
    #expect(relativeError(logits, try golden("gradient")) < 1e-6)
  }
}
