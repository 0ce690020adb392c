import Kernels
import Support
import Tensors
import TestSupport
import Testing

/// What is tried: every cell on every instruction set.
struct CellCase: Sendable, CustomTestStringConvertible {
  let cell: any RecurrentCell.Type
  let instructions: InstructionSet
  var testDescription: String { "\(cell.name) on \(instructions)" }

  static let all = recurrentCells.flatMap { cell in
    InstructionSet.available.map { CellCase(cell: cell, instructions: $0) }
  }
  var device: Device { Device(instructions: instructions) }
}

private let sizes = [1, 3, 8, 17, 33]

private func numbers(_ count: Int, _ stream: UInt64) -> [Float] {
  var random = Random(seed: 6, stream: stream)
  return (0..<count).map { _ in random.uniform() * 2 - 1 }
}

/// One step of three rows that share two words, two parents and an image, and its parts row by row.
private struct Step<Cell: RecurrentCell> {
  let size: Int
  let isFirst: Bool
  let input: [Float]
  let bias: [Float]
  let context: [Float]
  let weight: [Float]
  let peepholes: [Float]
  let before: [[Float]]
  let words: [Int32] = [1, 1, 0]
  let parents: [Int32] = [1, 0, 1]
  let images: [Int32] = [0, 0, 0]

  init(size: Int, isFirst: Bool) {
    self.size = size
    self.isFirst = isFirst
    let sums = Cell.gates * size
    input = numbers(2 * sums, 1)
    bias = numbers(sums, 2)
    context = numbers(sums, 3)
    weight = numbers(Cell.recurrentGates.count * size * size, 4)
    before = (0..<Cell.states).map { numbers(2 * size, 5 + UInt64($0)) }
    peepholes = numbers(Cell.peepholes.count * size, 10)
  }

  func sums(of row: Int) -> [Double] {
    let width = Cell.gates * size
    return (0..<width).map {
      Double(input[Int(words[row]) * width + $0]) + Double(bias[$0]) + Double(context[$0])
    }
  }

  func definition(_ sums: [Double], _ before: [[Double]]) -> [[Double]] {
    Reference.step(
      Cell.self, sums: sums, weight: weight.map(Double.init), peepholes: peepholes.map(Double.init),
      before: before)
  }

  /// W_hh and the peepholes for a cell, which `body` may not keep.
  func withWeights<Result>(_ body: (_ weight: Matrix, _ peepholes: Matrix?) -> Result) -> Result {
    // Somewhere, even where there are none.
    (weight + [0]).withUnsafeBufferPointer { weight in
      (peepholes + [0]).withUnsafeBufferPointer { peepholes in
        body(
          Matrix(weight.baseAddress!, rows: Cell.recurrentGates.count * size, columns: size),
          Cell.peepholes.isEmpty
            ? nil : Matrix(peepholes.baseAddress!, rows: Cell.peepholes.count, columns: size))
      }
    }
  }

  func states(before row: Int) -> [[Double]] {
    before.map { state in
      (0..<size).map { isFirst ? 0 : Double(state[Int(parents[row]) * size + $0]) }
    }
  }

  /// The states after, of three rows; and what the backward pass needs, where `training`.
  func run(on device: Device, training: Bool = false) -> (
    states: [[Float]], gates: [Float], kept: [Float]
  ) {
    let width = Cell.gates * size
    var after = [[Float]](repeating: [Float](repeating: 0, count: 3 * size), count: Cell.states)
    var gates = [Float](repeating: 0, count: 3 * width)
    var kept = [Float](repeating: 0, count: 3 * max(1, Cell.kept) * size)
    var scratch = [Float](repeating: .nan, count: 3 * Cell.scratch * size + 1)
    let memory = after.map { _ in UnsafeMutablePointer<Float>.allocate(capacity: 3 * size) }
    defer { memory.forEach { $0.deallocate() } }
    let states = before.map { Tensor($0, [2, size]) }
    gates.withUnsafeMutableBufferPointer { gates in
      kept.withUnsafeMutableBufferPointer { kept in
        withWeights { weight, peepholes in
          Cell.step(
            CellStep(
              sums: GateSums(
                input: SharedRows(Matrix(input, rows: 2, columns: width), rows: words), bias: bias,
                context: SharedRows(Matrix(context, rows: 1, columns: width), rows: images)),
              weight: weight, peepholes: peepholes,
              before: isFirst
                ? nil : CellStates(states.map { Matrix($0.pointer, rows: 2, columns: size) }, rows: parents),
              results: .init(
                states: memory.map { MutableMatrix($0, rows: 3, columns: size) },
                gates: training ? MutableMatrix(gates.baseAddress!, rows: 3, columns: width) : nil,
                kept: training && Cell.kept > 0
                  ? MutableMatrix(kept.baseAddress!, rows: 3, columns: Cell.kept * size) : nil),
              scratch: &scratch), on: device)
        }
      }
    }
    withExtendedLifetime(states) {
      for (state, pointer) in memory.enumerated() {
        after[state] = Array(UnsafeBufferPointer(start: pointer, count: 3 * size))
      }
    }
    return (after, gates, kept)
  }
}

@Suite struct RecurrentCellTests {
  /// Rows that share their sums and the states before, against the definition in double precision.
  @Test(arguments: CellCase.all) func stepsAgreeWithTheirDefinition(of example: CellCase) {
    func check<Cell: RecurrentCell>(_ cell: Cell.Type) {
      for size in sizes {
        for isFirst in [false, true] {
          let step = Step<Cell>(size: size, isFirst: isFirst)
          let found = step.run(on: example.device)
          for row in 0..<3 {
            let expected = step.definition(step.sums(of: row), step.states(before: row))
            for (found, expected) in zip(found.states, expected) {
              let own = Array(found[row * size..<(row + 1) * size])
              #expect(relativeError(own, expected.map(Float.init)) < 2e-6, "size \(size), row \(row)")
            }
          }
          // Keeping what the backward pass needs changes nothing.
          #expect(step.run(on: example.device, training: true).states == found.states)
        }
      }
    }
    check(example.cell)
  }

  /// Gradients of Σ state·δ by the gates' sums and the states before, against central differences of the definition.
  @Test(arguments: CellCase.all) func backwardStepsAreSlopes(of example: CellCase) {
    func check<Cell: RecurrentCell>(_ cell: Cell.Type) {
      for size in [3, 17] {
        let step = Step<Cell>(size: size, isFirst: false)
        var (states, gates, kept) = step.run(on: example.device, training: true)
        let width = Cell.gates * size
        // Backwards every row has its own state before.
        let own = step.before.map { state in
          step.parents.flatMap { state[Int($0) * size..<(Int($0) + 1) * size] }
        }
        let given = (0..<Cell.states).map { numbers(3 * size, 20 + UInt64($0)) }
        var gradients = given
        var hiddenBefore = [Float](repeating: 0, count: 3 * size)
        var scratch = [Float](repeating: .nan, count: 3 * Cell.scratch * size + 1)
        let others = Tensor(gradients.dropFirst().flatMap { $0 } + [0], [(Cell.states - 1) * 3 * size + 1])
        var otherMemory = others
        let base = otherMemory.mutablePointer()
        let before = own.map { Tensor($0, [3, size]) }
        gates.withUnsafeMutableBufferPointer { gates in
          hiddenBefore.withUnsafeMutableBufferPointer { hiddenBefore in
            step.withWeights { weight, peepholes in
              Cell.stepBackward(
                CellStepBackward(
                  record: .init(
                    gates: MutableMatrix(gates.baseAddress!, rows: 3, columns: width),
                    kept: Cell.kept > 0 ? Matrix(kept, rows: 3, columns: Cell.kept * size) : nil,
                    before: CellStates(before.map { Matrix($0.pointer, rows: 3, columns: size) })),
                  weight: weight, peepholes: peepholes,
                  gradients: .init(
                    hidden: Matrix(given[0], rows: 3, columns: size),
                    others: (0..<Cell.states - 1).map {
                      MutableMatrix(base + $0 * 3 * size, rows: 3, columns: size)
                    },
                    hiddenBefore: MutableMatrix(hiddenBefore.baseAddress!, rows: 3, columns: size)),
                  scratch: &scratch), on: example.device)
            }
          }
        }
        for state in 1..<max(1, Cell.states) {
          gradients[state] = (0..<3 * size).map { base[(state - 1) * 3 * size + $0] }
        }
        gradients[0] = hiddenBefore
        withExtendedLifetime((before, kept)) {}
        _ = (states.removeAll(), kept.removeAll())
        for row in 0..<3 {
          func value(_ sums: [Double], _ before: [[Double]]) -> Double {
            let after = step.definition(sums, before)
            var total = 0.0
            for (state, gradient) in zip(after, given) {
              for j in 0..<size { total += state[j] * Double(gradient[row * size + j]) }
            }
            return total
          }
          let (sums, before) = (step.sums(of: row), step.states(before: row))
          for j in stride(from: 0, to: width, by: 2) {
            var (up, down) = (sums, sums)
            up[j] += 1e-5
            down[j] -= 1e-5
            let slope = (value(up, before) - value(down, before)) / 2e-5
            let found = Double(gates[row * width + j])
            #expect(abs(found - slope) < 3e-6 + 1e-4 * abs(slope), "sum \(j)")
          }
          for state in 0..<Cell.states {
            for j in [0, size / 2, size - 1] {
              var (up, down) = (before, before)
              up[state][j] += 1e-5
              down[state][j] -= 1e-5
              let slope = (value(sums, up) - value(sums, down)) / 2e-5
              let found = Double(gradients[state][row * size + j])
              #expect(abs(found - slope) < 3e-6 + 1e-4 * abs(slope), "state \(state)")
            }
          }
        }
      }
    }
    check(example.cell)
  }

  @Test func cellsHaveNamesOfTheirOwn() {
    #expect(Set(recurrentCells.map { $0.name }).count == recurrentCells.count && recurrentCells.count > 1)
    #expect(recurrentCells[0].name == "lstm")
  }
}
