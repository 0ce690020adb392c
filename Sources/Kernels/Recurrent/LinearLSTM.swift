internal import CKernels

/// An LSTM whose output is the cell itself, without tanh, as neuraltalk's LSTMGenerator has it (`tanhC_version` 0):
///
///     [i, f, o, g] = W_xh xₜ + W_hh hₜ₋₁ + b + context
///     cₜ = σ(f)·cₜ₋₁ + σ(i)·tanh(g),  hₜ = σ(o)·cₜ
///
/// Backwards δc += δh·o and δo = δh·c·o(1−o); all else is as the `LSTM` has it.
public enum LinearLSTM: RecurrentCell {
  /// `lstm-linear`.
  public static let name = "lstm-linear"
  /// i, f, o, g.
  public static let gates = 4
  /// As in the equations.
  public static let gateNames = ["i", "f", "o", "g"]
  /// i, f and o.
  public static let sigmoidGates = 3
  /// h and c.
  public static let states = 2
  /// c, in the place of tanh c.
  public static let kept = 1
  /// W_hh h.
  public static let scratch = 4
  /// f.
  public static let rememberingGate: Int? = 1

  /// One time step: the recurrent product, then the gates.
  public static func step(_ step: CellStep, on device: Device) {
    lstmStep(step, device.kernels.lstm_linear, on: device)
  }

  /// The same backwards.
  public static func stepBackward(_ step: CellStepBackward, on device: Device) {
    lstmStepBackward(step, device.kernels.lstm_linear, on: device)
  }
}
