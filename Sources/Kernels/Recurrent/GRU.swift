internal import CKernels

/// The gated recurrent unit (Cho et al. 2014), the reset gate before the recurrent product:
///
///     [r, z] = σ(W_xh xₜ + W_hh hₜ₋₁ + b + context),  n = tanh(W_xn xₜ + W_hn (r·hₜ₋₁) + b_n + context)
///     hₜ = (1 − z)·n + z·hₜ₋₁
///
/// Backwards, given δh:
///
///     δz = δh·(h₋ − n)·z(1−z),  δn = δh·(1−z)·(1−n²),  δ(r·h₋) = δn W_hn,  δr = δ(r·h₋)·h₋·r(1−r)
///     δh₋ += δh·z + δ(r·h₋)·r + [δr, δz] W_h[r,z]
public enum GRU: RecurrentCell {
  /// `gru`.
  public static let name = "gru"
  /// r, z, n.
  public static let gates = 3
  /// h.
  public static let states = 1
  /// r·h₋.
  public static let kept = 1
  /// The recurrent products, and the gates and r·h where they are not kept.
  public static let scratch = 7
  /// None: z is a gate between old and new.
  public static let rememberingGate: Int? = nil

  /// One time step: the recurrent product, then the gates.
  public static func step(_ step: CellStep, on device: Device) {
    let (size, rows) = (step.hidden, step.rows)
    let kernels = device.kernels
    var scratch = step.scratch
    func memory(rows: Int, columns: Int) -> MutableMatrix {
      defer { scratch += rows * columns }
      return MutableMatrix(scratch, rows: rows, columns: columns)
    }
    let recurrent = step.before.map { before in
      let sums = memory(rows: before.values[0].rows, columns: 2 * size)
      multiply(
        .plain(before.values[0]), .transposed(step.weight.rows(0..<2 * size)), into: sums, on: device)
      return SharedRows(Matrix(sums), rows: before.rows)
    }
    let gates = step.results.gates ?? memory(rows: rows, columns: 3 * size)
    let resetHidden = step.results.kept ?? memory(rows: rows, columns: size)
    let (activate, output) = (kernels.gru_gates!, kernels.gru_output!)
    // The candidate's input is read before its activation takes its place.
    device.pool.runRows(rows, columns: 6 * size) { range in
      for row in range {
        activate(
          step.sums.row(row, recurrent: recurrent?[row], size), step.before?[0, row], gates[row],
          resetHidden[row], size)
      }
    }
    let candidate = step.before.map { _ in
      let sums = memory(rows: rows, columns: size)
      multiply(
        .plain(Matrix(resetHidden)), .transposed(step.weight.rows(2 * size..<3 * size)), into: sums,
        on: device)
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

  /// The same backwards.
  public static func stepBackward(_ step: CellStepBackward, on device: Device) {
    let size = step.hidden
    let (record, gradients) = (step.record, step.gradients)
    let kernels = device.kernels
    let (outputBackward, gatesBackward) = (
      kernels.gru_output_backward!, kernels.gru_gates_backward!
    )
    device.pool.runRows(step.rows, columns: 6 * size) { range in
      for row in range {
        outputBackward(
          record.gates[row], record.before?[0, row], gradients.hidden[row], gradients.hiddenBefore?[row],
          size)
      }
    }
    let resetGradient = gradients.hiddenBefore.map { _ in
      let memory = MutableMatrix(step.scratch, rows: step.rows, columns: size)
      multiply(
        .plain(Matrix(record.gates).columns(2 * size..<3 * size)),
        .plain(step.weight.rows(2 * size..<3 * size)), into: memory, on: device)
      return memory
    }
    device.pool.runRows(step.rows, columns: 6 * size) { range in
      for row in range {
        gatesBackward(
          record.gates[row], record.before?[0, row], resetGradient.map { UnsafePointer($0[row]) },
          gradients.hiddenBefore?[row], size)
      }
    }
    if let before = gradients.hiddenBefore {
      multiply(
        .plain(Matrix(record.gates).columns(0..<2 * size)), .plain(step.weight.rows(0..<2 * size)),
        into: before, beta: 1, on: device)
    }
  }

  /// r and z multiply h, the candidate r·h.
  public static func weightGradient(
    sums: Matrix, hidden: Matrix, kept: Matrix?, into gradient: MutableMatrix, on device: Device
  ) {
    let size = hidden.columns
    multiply(
      .transposed(sums.columns(0..<2 * size)), .plain(hidden), into: gradient.rows(0..<2 * size), on: device)
    multiply(
      .transposed(sums.columns(2 * size..<3 * size)), .plain(kept!),
      into: gradient.rows(2 * size..<3 * size), on: device)
  }
}
