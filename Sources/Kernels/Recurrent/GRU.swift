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
  /// As in the equations.
  public static let gateNames = ["r", "z", "n"]
  /// r and z.
  public static let sigmoidGates = 2
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
    ResetGateSteps(update: .hidden, device.kernels.gru).step(step, on: device)
  }

  /// The same backwards.
  public static func stepBackward(_ step: CellStepBackward, on device: Device) {
    ResetGateSteps(update: .hidden, device.kernels.gru).stepBackward(step, on: device)
  }

  /// r and z multiply h, the candidate r·h.
  public static func weightGradient(
    sums: Matrix, hidden: Matrix, kept: Matrix?, into gradient: MutableMatrix, on device: Device
  ) {
    ResetGateSteps(update: .hidden, device.kernels.gru).weightGradient(
      sums: sums, hidden: hidden, kept: kept!, into: gradient, on: device)
  }
}
