import Kernels
import Support
import Tensors
import TestSupport
import Testing

@testable import Layers

@Suite struct LayerInputTests {
  private static func sequences(_ count: Int, steps: Int, inputs: [Int32]) -> PackedSequences {
    PackedSequences(
      inputs: inputs, targets: inputs, batchSizes: [Int](repeating: count, count: steps),
      imageRows: (0..<Int32(count)).map { $0 })
  }

  /// A layer that is told which number is 1 computes what it does of rows of ones and zeros, forwards and backwards.
  @Test func oneHotIsRowsOfOnesAndZeros() {
    var random = Random(seed: 8)
    var layer = Recurrent<LSTM>("l", inputs: 9, hidden: 6) { $0.untrained(using: &random) }
    let tokens: [Int32] = [1, 8, 1, 0, 3, 3, 8, 1]
    let sequences = Self.sequences(2, steps: 4, inputs: tokens)
    var ones = Tensor(zeros: [8, 9])
    for (row, token) in tokens.enumerated() { ones.mutableMatrix()[row][Int(token)] = 1 }
    let dh = Tensor(uniform: [8, 6], limit: 1, using: &random)
    func results(_ x: some LayerInput) -> (h: [Float], gradients: [[Float]]) {
      var trace = Recurrent<LSTM>.Trace()
      layer.forward(sequences, x, into: &trace, on: .cpu)
      let h = Array(UnsafeBufferPointer(start: trace.hiddenStates, count: 8 * 6))
      var own = dh
      layer.backward(sequences, x, dh: own.mutableMatrix(), dx: nil, trace: &trace, on: .cpu)
      return (h, layer.parameters.compactMap { $0.gradient?.scalars })
    }
    let (told, multiplied) = (results(OneHot(tokens)), results(ones.matrix))
    #expect(relativeError(told.h, multiplied.h) < 1e-6)
    #expect(told.gradients.count == 3)
    for (a, b) in zip(told.gradients, multiplied.gradients) { #expect(relativeError(a, b) < 1e-6) }
    withExtendedLifetime(ones) {}
  }

  /// Enough sequences multiply by weights that were laid out for them, also gates that begin amid a panel: each is what it
  /// is alone, and the gradients are the sum of its own and the others'.
  @Test(arguments: CellKind.all, [128, 130]) func aBatchIsItsSequences(kind: CellKind, hidden: Int) {
    func check<Cell: RecurrentCell>(_: Cell.Type) {
      let (count, steps) = (5, 4)
      var random = Random(seed: 9)
      var layer = Recurrent<Cell>("l", inputs: hidden, hidden: hidden) { $0.untrained(using: &random) }
      let positions = count * steps
      let x = Tensor(uniform: [positions, hidden], limit: 1, using: &random)
      let dh = Tensor(uniform: [positions, hidden], limit: 1, using: &random)
      func run(_ rows: [Int]) -> (h: [[Float]], gradients: [[Float]]) {
        // Of each step the rows of some sequences.
        let places = (0..<steps).flatMap { step in rows.map { step * count + $0 } }
        func chosen(_ all: Tensor) -> Tensor {
          Tensor(
            places.flatMap { all.scalars[$0 * hidden..<($0 + 1) * hidden] }, [places.count, hidden])
        }
        let (input, inputs) = (chosen(x), [Int32](repeating: 0, count: places.count))
        let sequences = Self.sequences(rows.count, steps: steps, inputs: inputs)
        var trace = Recurrent<Cell>.Trace()
        layer.forward(sequences, input.matrix, into: &trace, on: .cpu)
        let h = places.indices.map {
          Array(UnsafeBufferPointer(start: trace.hiddenStates + $0 * hidden, count: hidden))
        }
        var own = chosen(dh)
        layer.backward(
          sequences, input.matrix, dh: own.mutableMatrix(), dx: nil, trace: &trace, on: .cpu)
        return withExtendedLifetime(input) { (h, layer.parameters.compactMap { $0.gradient?.scalars }) }
      }
      let all = run(Array(0..<count))
      var sums = all.gradients.map { $0.map { _ in Float(0) } }
      for sequence in 0..<count {
        let alone = run([sequence])
        for step in 0..<steps {
          #expect(relativeError(all.h[step * count + sequence], alone.h[step]) < 1e-5)
        }
        for index in sums.indices { sums[index] = zip(sums[index], alone.gradients[index]).map(+) }
      }
      for (gradient, sum) in zip(all.gradients, sums) { #expect(relativeError(gradient, sum) < 1e-5) }
    }
    check(kind.cell)
  }
}
