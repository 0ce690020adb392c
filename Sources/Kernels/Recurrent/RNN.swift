internal import CKernels

/// The plain recurrent network (Elman 1990):
///
///     hₜ = tanh(W_xh xₜ + W_hh hₜ₋₁ + b + context)
///
/// Backwards δsum = δh·(1 − h²) and δh₋ += δsum W_hh.
public enum RNN: RecurrentCell {
  /// `rnn`.
  public static let name = "rnn"
  /// h.
  public static let gates = 1
  /// As in the equations.
  public static let gateNames = ["h"]
  /// None.
  public static let sigmoidGates = 0
  /// h.
  public static let states = 1
  /// Nothing: h is its gate.
  public static let kept = 0
  /// W_hh h.
  public static let scratch = 1
  /// None.
  public static let rememberingGate: Int? = nil

  /// One time step: the recurrent product, then tanh.
  public static func step(_ step: CellStep, on device: Device) {
    rnnStep(step, device.kernels.rnn, on: device)
  }

  /// The same backwards.
  public static func stepBackward(_ step: CellStepBackward, on device: Device) {
    rnnStepBackward(step, device.kernels.rnn, on: device)
  }
}

/// One time step of a network of one gate, which `kernel` activates.
func rnnStep(_ step: CellStep, _ kernel: ck_rnn, on device: Device) {
  let size = step.hidden
  let recurrent = step.before.map { before in
    let products = MutableMatrix(step.scratch, rows: before.values[0].rows, columns: size)
    step.multiply(before.values[0], into: products, on: device)
    return SharedRows(Matrix(products), rows: before.rows)
  }
  let run = kernel.step!
  device.pool.runRows(step.rows, columns: 2 * size) { range in
    for row in range {
      run(
        step.sums.row(row, recurrent: recurrent?[row], size), step.results.gates?[row],
        step.results.states[0][row], size)
    }
  }
}

/// The same backwards.
func rnnStepBackward(_ step: CellStepBackward, _ kernel: ck_rnn, on device: Device) {
  let (gates, gradients) = (step.record.gates, step.gradients)
  let run = kernel.backward!
  device.pool.runRows(step.rows, columns: 2 * step.hidden) { range in
    for row in range { run(gates[row], gradients.hidden[row], step.hidden) }
  }
  if let before = gradients.hiddenBefore {
    step.multiply(Matrix(gates), into: before, adds: true, on: device)
  }
}
