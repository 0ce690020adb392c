import Kernels
import Layers
import Support
import Tensors
import TestSupport
import Testing

/// A cell as an argument of tests.
struct CellKind: Sendable, CustomTestStringConvertible {
  let cell: any RecurrentCell.Type
  var testDescription: String { cell.name }
  static let all = recurrentCells.map { CellKind(cell: $0) }
}

extension RecurrentCell {
  /// E, which must be H where a gate reads x itself.
  static func inputs(_ usual: Int, hidden: Int) -> Int { directInput == nil ? usual : hidden }
}

@Suite struct RecurrentTests {
  /// Lengths with a gap in them, one sequence at the end alone, images out of order, one of them without sequence.
  static let sequences = PackedSequences(
    inputs: Array(repeating: 1, count: 10), targets: Array(repeating: 1, count: 10),
    batchSizes: [4, 3, 1, 1, 1],
    imageRows: [2, 0, 2, 1])

  private static func tensor(_ shape: Shape, _ stream: UInt64, limit: Float = 1) -> Tensor {
    var random = Random(seed: 3, stream: stream)
    return Tensor(uniform: shape, limit: limit, using: &random)
  }

  private static func matrix(_ tensor: Tensor) -> Matrix {
    Matrix(tensor.pointer, rows: tensor.shape[0], columns: tensor.shape[1])
  }

  private static func mutable(_ tensor: inout Tensor) -> MutableMatrix {
    let shape = tensor.shape
    return MutableMatrix(tensor.mutablePointer(), rows: shape[0], columns: shape[1])
  }

  /// A context that depends on the step and on h: in every gate c·(t + 1) + h₋²/20.
  private final class LookingContext {
    let c: Tensor
    private var memory = Tensor(zeros: [4, 64])

    init(_ c: Tensor) { self.c = c }

    func term(_ step: PackedStep, _ hidden: Matrix?) -> SharedRows {
      let width = c.count
      let sums = MutableMatrix(memory.mutablePointer(), rows: step.rows, columns: width)
      for row in 0..<step.rows {
        for j in 0..<width {
          let h = hidden.map { $0[row][j % $0.columns] } ?? 0
          sums[row][j] = c.scalars[j] * Float(step.index + 1) + h * h / 20
        }
      }
      return SharedRows(Matrix(sums))
    }
  }

  /// Σ h·δh over all positions.
  private static func loss<Cell>(_ layer: Recurrent<Cell>, _ x: Tensor, _ c: Tensor, _ dh: Tensor) -> Double {
    var trace = Recurrent<Cell>.Trace()
    let context = LookingContext(c)
    layer.forward(sequences, matrix(x), into: &trace, on: .cpu, context: context.term)
    return withExtendedLifetime((trace, x, context)) {
      (0..<dh.count).reduce(0.0) { $0 + Double(trace.hiddenStates[$1]) * Double(dh[$1]) }
    }
  }

  /// Of the parameters, the input, and of a context that looks at h.
  @Test(arguments: CellKind.all) func gradientsAreSlopes(kind: CellKind) throws {
    func check<Cell: RecurrentCell>(_ cell: Cell.Type) throws {
      var random = Random(seed: 4)
      let inputs = Cell.inputs(5, hidden: 7)
      var layer = Recurrent<Cell>("cell", inputs: inputs, hidden: 7) {
        smoothValue(ofCell: Cell.name, $0.path, $0.shape, limit: 0.4, using: &random)
      }
      let (x, c, dh) = (
        Self.tensor([10, inputs], 1), Self.tensor([1, layer.sums], 2, limit: 0.2), Self.tensor([10, 7], 3)
      )
      var trace = Recurrent<Cell>.Trace()
      let context = LookingContext(c)
      layer.forward(Self.sequences, Self.matrix(x), into: &trace, on: .cpu, context: context.term)
      let hidden = (0..<70).map { trace.hiddenStates[$0] }
      var scratch = dh
      var dx = Tensor(uninitialized: x.shape)
      var dc = Tensor(zeros: c.shape)
      let dContext = dc.mutablePointer()
      let (width, size) = (layer.sums, layer.hidden)
      layer.backward(
        Self.sequences, Self.matrix(x), dh: Self.mutable(&scratch), dx: Self.mutable(&dx), trace: &trace,
        on: .cpu
      ) { step, sums, before in
        for row in 0..<step.rows {
          for j in 0..<width {
            dContext[j] += sums[row][j] * Float(step.index + 1)
            guard let before, let at = step.before else { continue }
            before[row][j % size] += sums[row][j] * hidden[(at.lowerBound + row) * size + j % size] / 10
          }
        }
      }
      withExtendedLifetime((x, context)) {}
      for (index, parameter) in layer.parameters.enumerated() {
        let error = gradientDisagreement(
          try #require(parameter.gradient), at: parameter.value, step: 0.02
        ) { value in
          var moved = layer
          var at = 0
          moved.visitParameters {
            if at == index { $0.value = value }
            at += 1
          }
          return Self.loss(moved, x, c, dh)
        }
        #expect(error < 1e-3, "\(parameter.path)")
      }
      let step: Float = 0.02
      #expect(gradientDisagreement(dx, at: x, step: step) { Self.loss(layer, $0, c, dh) } < 1e-3)
      #expect(gradientDisagreement(dc, at: c, step: step) { Self.loss(layer, x, $0, dh) } < 1e-3)
    }
    try check(kind.cell)
  }

  /// Sequences in a batch do not touch each other: each gives what it gives alone, step by step.
  @Test(arguments: CellKind.all) func packingChangesNothing(kind: CellKind) {
    func check<Cell: RecurrentCell>(_ cell: Cell.Type) {
      var random = Random(seed: 5)
      let inputs = Cell.inputs(5, hidden: 7)
      let stack = RecurrentStack<Cell>("cell", inputs: inputs, hidden: 7) { $0.untrained(using: &random) }
      let layer = stack.layers[0]
      let x = Self.tensor([10, inputs], 4)
      var trace = Recurrent<Cell>.Trace()
      layer.forward(Self.sequences, Self.matrix(x), into: &trace, on: .cpu)
      let sequence = Self.sequences.sequenceOfPosition
      for k in 0..<4 {
        var states = RecurrentStates<Cell>(layers: 1)
        var sums = Tensor(uninitialized: [1, layer.sums])
        for position in sequence.indices where sequence[position] == k {
          let memory = Self.mutable(&sums)
          layer.inputSums(Self.matrix(x).rows(position..<position + 1), into: memory, on: .cpu)
          stack.step(rows: 1, input: SharedRows(Matrix(memory)), states: &states, on: .cpu)
          let packed = (0..<7).map { trace.hiddenStates[position * 7 + $0] }
          #expect(relativeError(packed, (0..<7).map { states.top[0][$0] }) < 1e-6)
        }
        withExtendedLifetime((x, sums)) {}
      }
      withExtendedLifetime(trace) {}
    }
    check(kind.cell)
  }

  @Test(arguments: CellKind.all) func gatesThatRememberBeginAsAsked(kind: CellKind) {
    func check<Cell: RecurrentCell>(_ cell: Cell.Type) {
      var random = Random(seed: 6)
      for bias: Float in [1, -0.5] {
        let layer = Recurrent<Cell>("cell", inputs: Cell.inputs(2, hidden: 3), hidden: 3) {
          $0.untrained(using: &random, forgetBias: bias)
        }
        let expected = (0..<3 * Cell.gates).map { $0 / 3 == Cell.rememberingGate ? bias : 0 }
        #expect(layer.bias.value.scalars == expected)
      }
    }
    check(kind.cell)
    #expect(LSTM.rememberingGate == 1)
  }

  /// Le et al. 2015: W_hh the identity, W_xh all but zero, b zero.
  @Test func rectifiedUnitsBeginByRemembering() {
    var random = Random(seed: 7)
    let layer = Recurrent<IRNN>("irnn", inputs: 40, hidden: 30) { $0.untrained(using: &random) }
    let identity = (0..<900).map { $0 / 30 == $0 % 30 ? Float(1) : 0 }
    #expect(layer.hiddenWeight?.value == Tensor(identity, [30, 30]))
    #expect(layer.bias.value == Tensor(zeros: [30]))
    let weights = layer.inputWeight.value.scalars
    let variance = weights.reduce(0) { $0 + $1 * $1 } / Float(weights.count)
    #expect(abs(variance.squareRoot() - 0.001) < 1e-4)
  }
}

@Suite struct PackedSequencesTests {
  @Test func packsByLengthAndKeepsOrder() {
    let (sequences, order) = PackedSequences.packing(
      [[5], [6, 7, 8], [], [9, 10]], imageRows: [0, 1, 1, 2], start: 1, end: 2)
    #expect(order == [1, 3, 0, 2])
    #expect(sequences.batchSizes == [4, 3, 2, 1])
    #expect(sequences.inputs == [1, 1, 1, 1, 6, 9, 5, 7, 10, 8])
    #expect(sequences.targets == [6, 9, 5, 2, 7, 10, 2, 8, 2, 2])
    #expect(sequences.imageRows == [1, 2, 0, 1])
    #expect(sequences.sequenceOfPosition == [0, 1, 2, 3, 0, 1, 2, 0, 1, 0])
    #expect(sequences.steps.map(\.range) == [0..<4, 4..<7, 7..<9, 9..<10])
    #expect(sequences.steps.map(\.before) == [nil, 0..<3, 4..<6, 7..<8])
    #expect(PackedSequences.packing([], imageRows: [], start: 1, end: 2).sequences.positions == 0)
  }
}
