internal import CKernels

/// The third of the three cells that an evolutionary search found (Jozefowicz et al. 2015):
///
///     z = σ(W_xz xₜ + W_hz tanh(hₜ₋₁) + b_z + context),  r = σ(W_xr xₜ + W_hr hₜ₋₁ + b_r + context)
///     n = tanh(W_xn xₜ + W_hn (r·hₜ₋₁) + b_n + context),  hₜ = z·n + (1 − z)·hₜ₋₁
///
/// Backwards it is the `GRU` with z and 1 − z in each other's place, and δh₋ += (δz W_hz)·(1 − tanh²h₋).
public enum MUT3: RecurrentCell {
  /// `mut3`.
  public static let name = "mut3"
  /// r, z, n.
  public static let gates = 3
  /// As in the equations.
  public static let gateNames = ["r", "z", "n"]
  /// r and z.
  public static let sigmoidGates = 2
  /// h.
  public static let states = 1
  /// r·h₋ and tanh h₋.
  public static let kept = 2
  /// The recurrent products, and the gates and r·h where they are not kept.
  public static let scratch = 8
  /// None: z is a gate between new and old.
  public static let rememberingGate: Int? = nil

  /// One time step: the recurrent products, then the gates.
  public static func step(_ step: CellStep, on device: Device) {
    ResetGateSteps(update: .squashedHidden, device.kernels.mut).step(step, on: device)
  }

  /// The same backwards.
  public static func stepBackward(_ step: CellStepBackward, on device: Device) {
    ResetGateSteps(update: .squashedHidden, device.kernels.mut).stepBackward(step, on: device)
  }

  /// r multiplies h, z tanh h, the candidate r·h.
  public static func weightGradient(
    sums: Matrix, hidden: Matrix, kept: Matrix?, into gradient: MutableMatrix, on device: Device
  ) {
    ResetGateSteps(update: .squashedHidden, device.kernels.mut).weightGradient(
      sums: sums, hidden: hidden, kept: kept!, into: gradient, on: device)
  }
}
