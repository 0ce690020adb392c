internal import CKernels

/// The minimal gated recurrent unit (Feng et al. 2024, "Were RNNs All We Needed?"), a linear recurrence whose gates do not
/// see h:
///
///     [z, n] = W_xh xₜ + b + context
///     hₜ = (1 − σ(z))·hₜ₋₁ + σ(z)·n
///
/// There is no W_hh. It is run step by step in training too, where the paper's parallel scan would do. Backwards:
///
///     δz = δh·(n − h₋)·z(1−z),  δn = δh·z,  δh₋ += δh·(1 − z)
public enum MinGRU: RecurrentCell {
  /// `min-gru`.
  public static let name = "min-gru"
  /// z, n.
  public static let gates = 2
  /// As in the equations.
  public static let gateNames = ["z", "n"]
  /// z.
  public static let sigmoidGates = 1
  /// h.
  public static let states = 1
  /// Nothing.
  public static let kept = 0
  /// None.
  public static let scratch = 0
  /// None: z closed is what remembers.
  public static let rememberingGate: Int? = nil
  /// None.
  public static let recurrentGates = 0..<0

  /// One time step.
  public static func step(_ step: CellStep, on device: Device) {
    let run = device.kernels.min_gru.step!
    device.pool.runRows(step.rows, columns: 4 * step.hidden) { range in
      for row in range {
        run(
          step.sums.row(row, recurrent: nil, step.hidden), step.before?[0, row], step.results.gates?[row],
          step.results.states[0][row], step.hidden)
      }
    }
  }

  /// The same backwards.
  public static func stepBackward(_ step: CellStepBackward, on device: Device) {
    let (record, gradients) = (step.record, step.gradients)
    let run = device.kernels.min_gru.backward!
    device.pool.runRows(step.rows, columns: 4 * step.hidden) { range in
      for row in range {
        run(
          record.gates[row], record.before?[0, row], gradients.hidden[row], gradients.hiddenBefore?[row],
          step.hidden)
      }
    }
  }
}
