internal import CKernels

/// An LSTM that never forgets, f = 1, as it was at first (Hochreiter & Schmidhuber 1997):
///
///     [i, o, g] = W_xh xₜ + W_hh hₜ₋₁ + b + context
///     cₜ = cₜ₋₁ + σ(i)·tanh(g),  hₜ = σ(o)·tanh(cₜ)
///
/// Backwards δc₋ = δc; all else is as the `LSTM` has it.
public enum NoForgetLSTM: RecurrentCell {
  /// `lstm-no-forget`.
  public static let name = "lstm-no-forget"
  /// i, o, g.
  public static let gates = 3
  /// As in the equations.
  public static let gateNames = ["i", "o", "g"]
  /// i and o.
  public static let sigmoidGates = 2
  /// h and c.
  public static let states = 2
  /// tanh c.
  public static let kept = 1
  /// W_hh h.
  public static let scratch = 3
  /// None: it always does.
  public static let rememberingGate: Int? = nil

  /// One time step: the recurrent product, then the gates.
  public static func step(_ step: CellStep, on device: Device) {
    lstmStep(step, device.kernels.lstm_no_forget, on: device)
  }

  /// The same backwards.
  public static func stepBackward(_ step: CellStepBackward, on device: Device) {
    lstmStepBackward(step, device.kernels.lstm_no_forget, on: device)
  }
}
