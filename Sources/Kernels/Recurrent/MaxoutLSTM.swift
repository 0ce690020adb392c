internal import CKernels

/// An LSTM that takes in the larger of two sums, without tanh, as ImageCaptioning.pytorch's LSTMCore does:
///
///     [i, f, o, g₁, g₂] = W_xh xₜ + W_hh hₜ₋₁ + b + context
///     cₜ = σ(f)·cₜ₋₁ + σ(i)·max(g₁, g₂),  hₜ = σ(o)·tanh(cₜ)
///
/// Backwards the larger sum gets δc·i, of equal ones the first; all else is as the `LSTM` has it.
public enum MaxoutLSTM: RecurrentCell {
  /// `lstm-maxout`.
  public static let name = "lstm-maxout"
  /// i, f, o, g₁, g₂.
  public static let gates = 5
  /// As in the equations.
  public static let gateNames = ["i", "f", "o", "g₁", "g₂"]
  /// i, f and o.
  public static let sigmoidGates = 3
  /// h and c.
  public static let states = 2
  /// tanh c.
  public static let kept = 1
  /// W_hh h.
  public static let scratch = 5
  /// f.
  public static let rememberingGate: Int? = 1

  /// One time step: the recurrent product, then the gates.
  public static func step(_ step: CellStep, on device: Device) {
    lstmStep(step, device.kernels.lstm_maxout, on: device)
  }

  /// The same backwards.
  public static func stepBackward(_ step: CellStepBackward, on device: Device) {
    lstmStepBackward(step, device.kernels.lstm_maxout, on: device)
  }
}
