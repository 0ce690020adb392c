import Kernels
import Layers
import Support
import Tensors
import TestSupport
import Testing

@Suite struct PackedVectorsTests {
  private static let lengths = [2, 5, 1, 3]

  @Test func packsByLength() {
    let (sequences, order) = PackedSequences.packing(lengths: [2, 5, 2, 3])
    #expect(order == [1, 3, 0, 2])
    #expect(sequences.batchSizes == [4, 4, 2, 1, 1])
    #expect(sequences.lastPositions == [11, 9, 6, 7])
    let none = PackedSequences.packing(lengths: [])
    #expect(none.sequences.positions == 0 && none.order.isEmpty && none.sequences.lastPositions.isEmpty)
  }

  /// What is packed comes back, with zeros where nothing was.
  @Test func packingAndPaddingAreInverse() {
    let (sequences, order) = PackedSequences.packing(lengths: Self.lengths)
    let padded = Tensor((0..<40).map(Float.init), [4, 5, 2])
    let packed = sequences.packed(padded, order: order, on: .cpu)
    #expect(packed.shape == [11, 2])
    #expect(packed.row(0).scalars == [10, 11] && packed.row(3).scalars == [20, 21])
    #expect(packed.row(Int(sequences.lastPositions[2])).scalars == [2, 3])
    let again = sequences.padded(packed, order: order, on: .cpu)
    for n in 0..<4 {
      for t in 0..<5 {
        let expected = t < Self.lengths[n] ? padded.row(n).row(t).scalars : [0, 0]
        #expect(again.row(n).row(t).scalars == expected)
      }
    }
  }

  /// Outputs, and all gradients, of torch's layers over packed padded sequences that begin with given states.
  @Test func agreesWithPyTorch() throws {
    func check<Cell: RecurrentCell>(_ cell: Cell.Type) throws {
      let file = try SafetensorsFile(path: fixture("sequences.safetensors"))
      func golden(_ name: String) throws -> Tensor { try file.tensor(named: "\(Cell.name).\(name)") }
      var layer = try Recurrent<Cell>(Cell.name, inputs: 3, hidden: 4) {
        (asked: ParameterSpecification) throws -> Tensor in
        try file.tensor(named: asked.path, shape: asked.shape)
      }
      let lengths = try file.tensor(named: "lengths").scalars.map { Int($0) }
      let (sequences, order) = PackedSequences.packing(lengths: lengths)
      let x = sequences.packed(try golden("x"), order: order, on: .cpu)
      let names = ["h0", "c0"].prefix(Cell.states)
      let initial = try names.map { try golden($0).copied(rows: order) }
      var trace = Recurrent<Cell>.Trace()
      layer.forward(
        sequences, x.matrix, from: CellStates(initial.map(\.matrix)), into: &trace, on: .cpu)
      let y = Tensor((0..<44).map { trace.hiddenStates[$0] }, [11, 4])
      #expect(relativeError(sequences.padded(y, order: order, on: .cpu), try golden("y")) < 1e-6)

      var dh = sequences.packed(try golden("dy"), order: order, on: .cpu)
      var dx = Tensor(uninitialized: x.shape)
      layer.backward(
        sequences, x.matrix, dh: dh.mutableMatrix(), dx: dx.mutableMatrix(), trace: &trace, on: .cpu)
      withExtendedLifetime((x, initial)) {}
      #expect(
        relativeError(sequences.padded(dx, order: order, on: .cpu), try golden("gradient.x")) < 1e-5)
      for (name, gradient) in zip(names, trace.initialGradients(4, hidden: 4)) {
        let own = Tensor((0..<16).map { gradient.base[$0] }, [4, 4])
        #expect(relativeError(own, try golden("gradient." + name).copied(rows: order)) < 1e-5, "\(name)")
      }
      for parameter in layer.parameters {
        let name = parameter.path.replacing("\(Cell.name).", with: "\(Cell.name).gradient.")
        let expected = try file.tensor(named: name)
        #expect(relativeError(try #require(parameter.gradient), expected) < 1e-5, "\(parameter.path)")
      }
    }
    try check(LSTM.self)
    try check(RNN.self)
  }

  /// Of padded inputs, and of the states at the beginning, for every cell.
  @Test(arguments: CellKind.all) func gradientsAreSlopes(kind: CellKind) throws {
    func check<Cell: RecurrentCell>(_ cell: Cell.Type) throws {
      var random = Random(seed: 51)
      let inputs = Cell.inputs(3, hidden: 5)
      var layer = Recurrent<Cell>("cell", inputs: inputs, hidden: 5) {
        smoothValue(ofCell: Cell.name, $0.path, $0.shape, limit: 0.4, using: &random)
      }
      let (sequences, order) = PackedSequences.packing(lengths: Self.lengths)
      let x = Tensor(uniform: [4, 5, inputs], limit: 1, using: &random)
      let initial = (0..<Cell.states).map { _ in Tensor(uniform: [4, 5], limit: 0.5, using: &random) }
      let dh = Tensor(uniform: [11, 5], limit: 1, using: &random)
      func run(_ x: Tensor, _ initial: [Tensor], _ trace: inout Recurrent<Cell>.Trace) -> Tensor {
        let packed = sequences.packed(x, order: order, on: .cpu)
        layer.forward(
          sequences, packed.matrix, from: CellStates(initial.map(\.matrix)), into: &trace, on: .cpu)
        return withExtendedLifetime(initial) { packed }
      }
      func loss(_ x: Tensor, _ initial: [Tensor]) -> Double {
        var trace = Recurrent<Cell>.Trace()
        let packed = run(x, initial, &trace)
        return withExtendedLifetime((trace, packed)) {
          (0..<dh.count).reduce(0.0) { $0 + Double(trace.hiddenStates[$1]) * Double(dh[$1]) }
        }
      }
      var trace = Recurrent<Cell>.Trace()
      let packed = run(x, initial, &trace)
      var scratch = dh
      var dx = Tensor(uninitialized: packed.shape)
      layer.backward(
        sequences, packed.matrix, dh: scratch.mutableMatrix(), dx: dx.mutableMatrix(), trace: &trace,
        on: .cpu)
      let gradient = sequences.padded(dx, order: order, on: .cpu)
      withExtendedLifetime((packed, initial)) {}
      #expect(gradientDisagreement(gradient, at: x, step: 0.02) { loss($0, initial) } < 1e-3)
      for (state, matrix) in trace.initialGradients(4, hidden: 5).enumerated() {
        let own = Tensor((0..<20).map { matrix.base[$0] }, [4, 5])
        let error = gradientDisagreement(own, at: initial[state], step: 0.02) { value in
          var moved = initial
          moved[state] = value
          return loss(x, moved)
        }
        #expect(error < 1e-3, "state \(state)")
      }
    }
    try check(kind.cell)
  }

  /// A network made by hand, of rectified units, that says 1 where a 1 follows a 1: its units hold the present number, the
  /// one before, and a constant 1, and h·[1, 1, −1] is at least 0 (Johnson, EECS 498-007, lecture 12).
  @Test func aNetworkMadeByHandDetectsRepeatedOnes() {
    let weights: [String: Tensor] = [
      "hand.weight_xh": Tensor([1, 0, 0], [3, 1]),
      "hand.weight_hh": Tensor([0, 0, 0, 1, 0, 0, 0, 0, 1], [3, 3]),
      "hand.bias": Tensor(zeros: [3]),
    ]
    let layer = Recurrent<IRNN>("hand", inputs: 1, hidden: 3) { weights[$0.path]! }
    let texts: [[Float]] = [[0, 1, 0, 1, 1, 1, 0, 1, 1], [1, 1, 0, 0, 1], [1], [0, 0, 0, 1, 1, 1]]
    let (sequences, order) = PackedSequences.packing(lengths: texts.map(\.count))
    let padded = texts.flatMap { $0 + [Float](repeating: 9, count: 9 - $0.count) }
    let x = sequences.packed(Tensor(padded, [4, 9, 1]), order: order, on: .cpu)
    let initial = Tensor(texts.flatMap { _ in [Float(0), 0, 1] }, [4, 3])
    var trace = Recurrent<IRNN>.Trace()
    layer.forward(sequences, x.matrix, from: CellStates([initial.matrix]), into: &trace, on: .cpu)
    let h = trace.hiddenStates
    let said = Tensor(
      (0..<sequences.positions).map { max(0, h[3 * $0] + h[3 * $0 + 1] - h[3 * $0 + 2]) },
      [sequences.positions, 1])
    let answers = sequences.padded(said, order: order, on: .cpu)
    withExtendedLifetime((x, initial, trace)) {}
    for (n, text) in texts.enumerated() {
      let expected = text.indices.map { $0 > 0 && text[$0 - 1] == 1 && text[$0] == 1 ? Float(1) : 0 }
      #expect(Array(answers.row(n).scalars.prefix(text.count)) == expected)
    }
  }
}
