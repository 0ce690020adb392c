internal import CKernels

/// Long short-term memory (Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000):
///
///     [i, f, o, g] = W_xh xₜ + W_hh hₜ₋₁ + b + context
///     cₜ = σ(f)·cₜ₋₁ + σ(i)·tanh(g),  hₜ = σ(o)·tanh(cₜ)
///
/// Backwards, given δh and the δc that came from the next step:
///
///     δc += δh·o·(1 − tanh²c),  δi = δc·g·i(1−i),  δf = δc·c₋·f(1−f),  δo = δh·tanh c·o(1−o),  δg = δc·i·(1−g²),
///     δc₋ = δc·f,  δh₋ += δsums W_hh
public enum LSTM: RecurrentCell {
  /// `lstm`.
  public static let name = "lstm"
  /// i, f, o, g.
  public static let gates = 4
  /// As in the equations.
  public static let gateNames = ["i", "f", "o", "g"]
  /// i, f and o.
  public static let sigmoidGates = 3
  /// h and c.
  public static let states = 2
  /// tanh c.
  public static let kept = 1
  /// W_hh h.
  public static let scratch = 4
  /// f.
  public static let rememberingGate: Int? = 1

  /// One time step: the recurrent product, then the gates.
  public static func step(_ step: CellStep, on device: Device) {
    lstmStep(step, device.kernels.lstm, on: device)
  }

  /// The same backwards.
  public static func stepBackward(_ step: CellStepBackward, on device: Device) {
    lstmStepBackward(step, device.kernels.lstm, on: device)
  }
}

/// One time step of an LSTM or a variant, whose `kernel` knows its gates.
func lstmStep(_ step: CellStep, _ kernel: ck_lstm, on device: Device) {
  let (size, sums) = (step.hidden, step.weight.rows)
  // W_hh h of those before, once however many rows go on from one.
  let recurrent = step.before.map { before in
    let products = MutableMatrix(step.scratch, rows: before.values[0].rows, columns: sums)
    step.multiply(before.values[0], into: products, on: device)
    return SharedRows(Matrix(products), rows: before.rows)
  }
  let run = kernel.step!
  device.pool.runRows(step.rows, columns: 2 * sums) { range in
    for row in range {
      run(
        step.sums.row(row, recurrent: recurrent?[row], size), step.peepholes?.base, step.before?[1, row],
        step.results.gates?[row], step.results.states[1][row], step.results.kept?[row],
        step.results.states[0][row], size)
    }
  }
}

/// The same backwards.
func lstmStepBackward(_ step: CellStepBackward, _ kernel: ck_lstm, on device: Device) {
  let (record, gradients) = (step.record, step.gradients)
  let run = kernel.backward!
  device.pool.runRows(step.rows, columns: 2 * step.weight.rows) { range in
    for row in range {
      run(
        record.gates[row], step.peepholes?.base, record.before?[1, row], record.kept![row],
        gradients.hidden[row], gradients.others[0][row], step.hidden)
    }
  }
  if let before = gradients.hiddenBefore {
    step.multiply(Matrix(record.gates), into: before, adds: true, on: device)
  }
}
