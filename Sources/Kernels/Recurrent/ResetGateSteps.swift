internal import CKernels

/// The steps of the GRU and its relatives: a candidate n that multiplies r·h₋, and an update gate z between it and h₋. They
/// differ in what z sees of h₋, and in the kernels of a row.
///
/// Gates are [r, z, n], and [z, r, n] where z sees nothing; the rows of W_hh are in the same order.
struct ResetGateSteps {
  /// What the update gate's recurrent weights multiply.
  enum Update {
    /// h₋, as the reset gate's do.
    case hidden
    /// tanh h₋.
    case squashedHidden
    /// Nothing: it has none.
    case nothing
  }

  let update: Update
  let kernel: ck_gru

  init(update: Update, _ kernel: ck_gru) {
    self.update = update
    self.kernel = kernel
  }

  /// One time step: the recurrent products of r and z, these gates, the product of n, n and h.
  func step(_ step: CellStep, on device: Device) {
    let (size, rows) = (step.hidden, step.rows)
    var scratch = step.scratch
    func memory(rows: Int, columns: Int) -> MutableMatrix {
      defer { scratch += rows * columns }
      return MutableMatrix(scratch, rows: rows, columns: columns)
    }
    let products = step.before.map { memory(rows: $0.values[0].rows, columns: 2 * size) }
    let squashed =
      update == .squashedHidden
      ? step.before.map { memory(rows: $0.values[0].rows, columns: size) } : nil
    if let hidden = step.before?.values[0], let products {
      if let squashed { tanhRows(hidden, into: squashed, on: device) }
      multiplyGates(step, hidden, squashed.map { Matrix($0) }, into: products, on: device)
    }
    let recurrent = products.map { SharedRows(Matrix($0), rows: step.before?.rows) }
    let gates = step.results.gates ?? memory(rows: rows, columns: 3 * size)
    let resetHidden = step.results.kept?.columns(0..<size) ?? memory(rows: rows, columns: size)
    let (activate, output) = (kernel.gates!, kernel.output!)
    // The candidate's input is read before its activation takes its place.
    device.pool.runRows(rows, columns: 6 * size) { range in
      for row in range {
        activate(
          step.sums.row(row, recurrent: recurrent?[row], size), step.before?[0, row], gates[row],
          resetHidden[row], size)
      }
    }
    if let kept = step.results.kept, let squashed {
      let squashed = SharedRows(Matrix(squashed), rows: step.before?.rows)
      for row in 0..<rows { (kept[row] + size).update(from: squashed[row], count: size) }
    }
    let candidate = step.before.map { _ in
      let sums = memory(rows: rows, columns: size)
      step.multiply(Matrix(resetHidden), candidateRows(step.weight, size), into: sums, on: device)
      return sums
    }
    device.pool.runRows(rows, columns: 6 * size) { range in
      for row in range {
        output(
          step.sums.row(row, recurrent: candidate.map { UnsafePointer($0[row]) }, from: 2, size),
          step.before?[0, row], gates[row], step.results.states[0][row], size)
      }
    }
  }

  /// W_hh h of r and z, or of r alone, each in its gate's place.
  private func multiplyGates(
    _ step: CellStep, _ hidden: Matrix, _ squashed: Matrix?, into products: MutableMatrix, on device: Device
  ) {
    let size = hidden.columns
    let (first, second) = (0..<size, size..<2 * size)
    switch update {
    case .hidden:
      step.multiply(hidden, 0..<2 * size, into: products, on: device)
    case .squashedHidden:
      step.multiply(hidden, first, into: products.columns(first), on: device)
      step.multiply(squashed!, second, into: products.columns(second), on: device)
    case .nothing:
      step.multiply(hidden, first, into: products.columns(second), on: device)
    }
  }

  /// Those of W_hn: the last H rows of W_hh.
  private func candidateRows(_ weight: Matrix, _ size: Int) -> Range<Int> {
    weight.rows - size..<weight.rows
  }

  /// The same backwards.
  func stepBackward(_ step: CellStepBackward, on device: Device) {
    let size = step.hidden
    let (record, gradients) = (step.record, step.gradients)
    let (outputBackward, gatesBackward) = (kernel.output_backward!, kernel.gates_backward!)
    device.pool.runRows(step.rows, columns: 6 * size) { range in
      for row in range {
        outputBackward(
          record.gates[row], record.before?[0, row], gradients.hidden[row], gradients.hiddenBefore?[row],
          size)
      }
    }
    let resetGradient = gradients.hiddenBefore.map { _ in
      let memory = MutableMatrix(step.scratch, rows: step.rows, columns: size)
      step.multiply(
        Matrix(record.gates).columns(2 * size..<3 * size), candidateRows(step.weight, size), into: memory,
        adds: false, on: device)
      return memory
    }
    device.pool.runRows(step.rows, columns: 6 * size) { range in
      for row in range {
        gatesBackward(
          record.gates[row], record.before?[0, row], resetGradient.map { UnsafePointer($0[row]) },
          gradients.hiddenBefore?[row], size)
      }
    }
    guard let hiddenGradient = gradients.hiddenBefore, let before = record.before else { return }
    let sums = Matrix(record.gates)
    let (first, second) = (0..<size, size..<2 * size)
    switch update {
    case .hidden:
      step.multiply(
        sums.columns(0..<2 * size), 0..<2 * size, into: hiddenGradient, adds: true, on: device)
    case .squashedHidden:
      step.multiply(sums.columns(first), first, into: hiddenGradient, adds: true, on: device)
      // In the memory of δ(r·h₋), which is used up.
      let squashed = MutableMatrix(step.scratch, rows: step.rows, columns: size)
      step.multiply(sums.columns(second), second, into: squashed, adds: false, on: device)
      let backward = device.kernels.tanh_backward_row!
      device.pool.runRows(step.rows, columns: size) { range in
        for row in range { backward(before[0, row], squashed[row], hiddenGradient[row], size) }
      }
    case .nothing:
      step.multiply(sums.columns(second), first, into: hiddenGradient, adds: true, on: device)
    }
  }

  /// r multiplies h, z what it sees, the candidate r·h.
  /// - Parameter kept: r·h₋ and, where z sees it, tanh h₋.
  func weightGradient(
    sums: Matrix, hidden: Matrix, kept: Matrix, into gradient: MutableMatrix, on device: Device
  ) {
    let size = hidden.columns
    let (first, second, third) = (0..<size, size..<2 * size, 2 * size..<3 * size)
    func gradientOf(_ gates: Range<Int>, _ factor: Matrix, into rows: Range<Int>) {
      multiply(
        .transposed(sums.columns(gates)), .plain(factor), into: gradient.rows(rows), on: device)
    }
    switch update {
    case .hidden:
      gradientOf(0..<2 * size, hidden, into: 0..<2 * size)
    case .squashedHidden:
      gradientOf(first, hidden, into: first)
      gradientOf(second, kept.columns(second), into: second)
    case .nothing:
      gradientOf(second, hidden, into: first)
    }
    gradientOf(third, kept.columns(first), into: update == .nothing ? second : third)
  }
}
