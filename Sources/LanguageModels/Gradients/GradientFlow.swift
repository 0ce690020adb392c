internal import Foundation
public import Kernels
public import Layers
public import Tensors

/// How much of the gradient of a loss at the last step of sequences reaches the states of the steps before it.
public struct GradientFlow: Sendable, Equatable {
  /// ‖∂L/∂s‖ of each state s, h first, d steps before the last [S][T]: the root of the mean over sequences of the squared
  /// norm. Each state counts as what the next step goes on from, so that a gradient that passes from one c to the one before
  /// it is c's alone. Of states other than h, d = 0 has none and is 0.
  public let norms: [[Double]]

  /// Of every layer of a stack, the lowest first, over sequences of one length.
  /// - Parameters:
  ///   - x: [P, E], packed.
  ///   - gradient: called with what the top layer passes on at the last step [B, H]; gives δ of it, of the same shape.
  public static func layers<Cell: RecurrentCell>(
    of stack: RecurrentStack<Cell>, _ sequences: PackedSequences, _ x: Matrix, on device: Device,
    gradient: (_ last: Matrix) -> Tensor
  ) -> [GradientFlow] {
    let (count, size, positions) = (sequences.count, stack.hidden, sequences.positions)
    precondition(sequences.batchSizes.allSatisfy { $0 == count }, "\(sequences.batchSizes)")
    // What each layer reads, and what it keeps of its pass.
    var inputs = [Tensor(uninitialized: [positions, x.columns])]
    let first = inputs[0].mutableMatrix()
    for row in 0..<positions { first[row].update(from: x[row], count: x.columns) }
    var traces: [Recurrent<Cell>.Trace] = []
    for (number, layer) in stack.layers.enumerated() {
      var trace = Recurrent<Cell>.Trace()
      let input = inputs[number]
      layer.forward(sequences, input.matrix, into: &trace, on: device)
      var output = Tensor(uninitialized: [positions, size])
      let memory = output.mutableMatrix()
      memory.base.update(from: trace.hiddenStates, count: positions * size)
      if number > 0 && stack.isResidual { addRows(input.matrix, to: memory, on: device) }
      withExtendedLifetime(input) {}
      inputs.append(output)
      traces.append(trace)
    }
    let top = inputs[stack.layers.count]
    let last = gradient(top.matrix.rows(positions - count..<positions))
    precondition(last.shape == [count, size], "\(last.shape)")
    var delta = Tensor(zeros: [positions, size])
    let end = delta.mutableMatrix().rows(positions - count..<positions)
    for row in 0..<count { end[row].update(from: last.matrix[row], count: size) }
    withExtendedLifetime((top, last)) {}
    var flows: [GradientFlow] = []
    for number in stack.layers.indices.reversed() {
      let passedOn = number > 0 && stack.isResidual ? delta : nil
      var layer = stack.layers[number]
      flows.append(GradientFlow(of: layer, sequences, &delta, &traces[number], on: device))
      guard number > 0 else { break }
      var below = Tensor(uninitialized: [positions, size])
      let memory = below.mutableMatrix()
      let input = inputs[number]
      layer.finishBackward(sequences, input.matrix, dx: memory, trace: &traces[number], on: device)
      if let passedOn { addRows(passedOn.matrix, to: memory, on: device) }
      withExtendedLifetime((input, passedOn)) {}
      delta = below
    }
    return flows.reversed()
  }

  /// Of one layer after its forward pass.
  /// - Parameter delta: [P, H]: the gradient that reaches h from above, then all of it.
  private init<Cell: RecurrentCell>(
    of layer: Recurrent<Cell>, _ sequences: PackedSequences, _ delta: inout Tensor,
    _ trace: inout Recurrent<Cell>.Trace, on device: Device
  ) {
    let (count, steps) = (sequences.count, sequences.steps.count)
    var norms = [[Double]](repeating: [Double](repeating: 0, count: steps), count: Cell.states)
    func norm(_ matrix: Matrix) -> Double {
      let squares = (0..<matrix.rows).map { sumOfSquares(matrix[$0], count: matrix.columns, on: device) }
      return (squares.reduce(0, +) / Double(max(1, count))).squareRoot()
    }
    let dh = delta.mutableMatrix()
    let pass = layer.beginBackward(sequences, &trace, on: device)
    for step in sequences.steps.reversed() {
      let distance = steps - 1 - step.index
      norms[0][distance] = norm(Matrix(dh.rows(step.range)))
      _ = layer.stepBackward(step, of: pass, dh: dh, &trace, on: device)
      guard step.index > 0 else { break }
      // What the step before left for this one.
      for (state, gradient) in trace.initialGradients(count, hidden: layer.hidden).enumerated().dropFirst() {
        norms[state][distance + 1] = norm(gradient)
      }
    }
    self.norms = norms
  }

  /// By what a norm grows from one step to the step before it, over the steps from `range` on which it is a number above
  /// 0: the geometric mean. Nil where there are none.
  public func factor(ofState state: Int = 0, over range: Range<Int>) -> Double? {
    let norms = self.norms[state]
    guard range.lowerBound >= 0, range.upperBound <= norms.count, range.count > 1 else { return nil }
    let (from, to) = (norms[range.lowerBound], norms[range.upperBound - 1])
    guard from > 0, to > 0, from.isFinite, to.isFinite else { return nil }
    return exp((log(to) - log(from)) / Double(range.count - 1))
  }
}
