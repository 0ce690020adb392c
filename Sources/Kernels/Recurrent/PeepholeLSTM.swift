internal import CKernels

/// An LSTM whose gates see the cell (Gers & Schmidhuber 2000, as Graves 2013 writes it), by a weight a unit:
///
///     i += p_i·cₜ₋₁,  f += p_f·cₜ₋₁,  o += p_o·cₜ,  and all else as the `LSTM` has it
///
/// Backwards δc += δo·p_o comes first, and δc₋ += δi·p_i + δf·p_f last.
public enum PeepholeLSTM: RecurrentCell {
  /// `lstm-peephole`.
  public static let name = "lstm-peephole"
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
  /// p_i, p_f, p_o.
  public static let peepholes = [
    Peephole(gate: 0, state: 1, isAfter: false), Peephole(gate: 1, state: 1, isAfter: false),
    Peephole(gate: 2, state: 1, isAfter: true),
  ]

  /// One time step: the recurrent product, then the gates.
  public static func step(_ step: CellStep, on device: Device) {
    lstmStep(step, device.kernels.lstm_peephole, on: device)
  }

  /// The same backwards.
  public static func stepBackward(_ step: CellStepBackward, on device: Device) {
    lstmStepBackward(step, device.kernels.lstm_peephole, on: device)
  }
}
