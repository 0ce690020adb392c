internal import CKernels

/// An LSTM that forgets as much as it takes in, f = 1 − i (Greff et al. 2017 call it CIFG):
///
///     [i, o, g] = W_xh xₜ + W_hh hₜ₋₁ + b + context
///     cₜ = (1 − σ(i))·cₜ₋₁ + σ(i)·tanh(g),  hₜ = σ(o)·tanh(cₜ)
///
/// Backwards δi = δc·(g − c₋)·i(1−i) and δc₋ = δc·(1 − i); all else is as the `LSTM` has it.
public enum CoupledLSTM: RecurrentCell {
  /// `lstm-coupled`.
  public static let name = "lstm-coupled"
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
  /// None: i closed is what remembers.
  public static let rememberingGate: Int? = nil

  /// One time step: the recurrent product, then the gates.
  public static func step(_ step: CellStep, on device: Device) {
    lstmStep(step, device.kernels.lstm_coupled, on: device)
  }

  /// The same backwards.
  public static func stepBackward(_ step: CellStepBackward, on device: Device) {
    lstmStepBackward(step, device.kernels.lstm_coupled, on: device)
  }
}
