import Kernels
import Layers
import Support
import Tensors
import TestSupport
import Testing

@Suite struct RecurrentStackTests {
  /// Step by step is what all steps at once are, between layers dropped the same.
  @Test(
    arguments: CellKind.all,
    [(1, 0, false), (2, 0, false), (3, 0.5, false), (1, 0, true), (3, 0, true), (3, 0.5, true)]
      as [(Int, Float, Bool)])
  func stepsAgreeWithTheWhole(kind: CellKind, depth: (layers: Int, dropout: Float, isResidual: Bool)) {
    func check<Cell: RecurrentCell>(_ cell: Cell.Type) {
      var random = Random(seed: 17)
      let inputs = Cell.inputs(5, hidden: 7)
      let stack = RecurrentStack<Cell>(
        "cell", inputs: inputs, hidden: 7, layers: depth.layers, isResidual: depth.isResidual
      ) { $0.untrained(using: &random) }
      let sequences = RecurrentTests.sequences
      let width = stack.layers[0].sums
      let x = Tensor(uniform: [sequences.positions, inputs], limit: 2, using: &random)
      let context = Tensor(uniform: [4, width], limit: 2, using: &random)
      let masks = (1..<depth.layers).map { Dropout(rate: depth.dropout, seed: UInt64($0)) }
      var trace = RecurrentStack<Cell>.Trace()
      sequences.imageRows.withUnsafeBufferPointer { rows in
        let term = SharedRows(Matrix(context.pointer, rows: 4, columns: width), rows: rows.baseAddress)
        stack.forward(
          sequences, Matrix(x.pointer, rows: sequences.positions, columns: inputs), dropout: masks,
          into: &trace,
          on: .cpu
        ) { _, _ in term }
        var states = RecurrentStates<Cell>(layers: depth.layers)
        var sums = Tensor(uninitialized: [sequences.count, width])
        for step in sequences.steps {
          if step.index > 0 { states.select((0..<Int32(step.rows)).map { $0 }, on: .cpu) }
          let memory = MutableMatrix(sums.mutablePointer(), rows: step.rows, columns: width)
          stack.layers[0].inputSums(
            Matrix(x.pointer + step.range.lowerBound * inputs, rows: step.rows, columns: inputs),
            into: memory,
            on: .cpu)
          stack.step(
            rows: step.rows, input: SharedRows(Matrix(memory)), states: &states,
            dropout: (masks, step.range.lowerBound), on: .cpu
          ) { _ in term }
          let whole = (0..<step.rows * 7).map { trace.hiddenStates[step.range.lowerBound * 7 + $0] }
          let found = (0..<step.rows * 7).map { states.top.base[$0] }
          #expect(relativeError(whole, found) < 1e-6, "step \(step.index)")
        }
      }
      withExtendedLifetime((x, context, trace)) {}
    }
    check(kind.cell)
  }

  /// Rows may be copied, dropped and put in another order: each goes on as its parent would.
  @Test(arguments: CellKind.all) func rowsGoOnFromTheirParents(kind: CellKind) {
    func check<Cell: RecurrentCell>(_ cell: Cell.Type) {
      var random = Random(seed: 19)
      let stack = RecurrentStack<Cell>("cell", inputs: Cell.inputs(5, hidden: 7), hidden: 7, layers: 2) {
        $0.untrained(using: &random)
      }
      let width = stack.layers[0].sums
      let inputs = (0..<3).map { _ in Tensor(uniform: [4, width], limit: 2, using: &random) }
      func run(_ states: inout RecurrentStates<Cell>, _ step: Int, rows: [Int32]) {
        rows.withUnsafeBufferPointer {
          stack.step(
            rows: rows.count,
            input: SharedRows(
              Matrix(inputs[step].pointer, rows: 4, columns: width), rows: $0.baseAddress),
            states: &states, on: .cpu)
        }
      }
      var together = RecurrentStates<Cell>(layers: 2)
      run(&together, 0, rows: [0, 1, 2])
      together.select([2, 0, 2, 2], on: .cpu)
      run(&together, 1, rows: [3, 1, 2, 0])
      together.select([1, 3], on: .cpu)
      run(&together, 2, rows: [1, 0])
      for (row, words) in ([[0, 1, 1], [2, 0, 0]] as [[Int32]]).enumerated() {
        var alone = RecurrentStates<Cell>(layers: 2)
        for (step, word) in words.enumerated() { run(&alone, step, rows: [word]) }
        let expected = (0..<7).map { alone.top[0][$0] }
        #expect(relativeError((0..<7).map { together.top[row][$0] }, expected) < 1e-6)
      }
      withExtendedLifetime(inputs) {}
    }
    check(kind.cell)
  }

  /// A context reaches the upper layers through the lowest one only.
  @Test func upperLayersSeeNoContext() {
    var random = Random(seed: 18)
    var stack = RecurrentStack<LSTM>("lstm", inputs: 5, hidden: 7, layers: 2) { $0.untrained(using: &random) }
    stack.layers[1].inputWeight.value = Tensor(zeros: [28, 7])
    let x = Tensor(uniform: [10, 5], limit: 2, using: &random)
    func hidden(_ context: Tensor) -> [Float] {
      var trace = RecurrentStack<LSTM>.Trace()
      RecurrentTests.sequences.imageRows.withUnsafeBufferPointer { rows in
        stack.forward(
          RecurrentTests.sequences, Matrix(x.pointer, rows: 10, columns: 5), into: &trace, on: .cpu
        ) { _, _ in
          SharedRows(Matrix(context.pointer, rows: 4, columns: 28), rows: rows.baseAddress)
        }
      }
      return withExtendedLifetime((trace, context, x)) { (0..<70).map { trace.hiddenStates[$0] } }
    }
    #expect(hidden(Tensor(zeros: [4, 28])) == hidden(Tensor(repeating: 1, [4, 28])))
  }
}
