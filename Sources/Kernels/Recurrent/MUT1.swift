internal import CKernels

/// The first of the three cells that an evolutionary search found (Jozefowicz et al. 2015):
///
///     z = σ(W_xz xₜ + b_z + context),  r = σ(W_xr xₜ + W_hr hₜ₋₁ + b_r + context)
///     n = tanh(tanh(xₜ) + W_hn (r·hₜ₋₁) + b_n + context),  hₜ = z·n + (1 − z)·hₜ₋₁
///
/// x itself enters n, so that E = H. Backwards it is the `GRU` with z and 1 − z in each other's place.
public enum MUT1: RecurrentCell {
  /// `mut1`.
  public static let name = "mut1"
  /// z, r, n.
  public static let gates = 3
  /// As in the equations.
  public static let gateNames = ["z", "r", "n"]
  /// z and r.
  public static let sigmoidGates = 2
  /// h.
  public static let states = 1
  /// r·h₋.
  public static let kept = 1
  /// The recurrent products, and the gates and r·h where they are not kept.
  public static let scratch = 7
  /// None: z is a gate between new and old.
  public static let rememberingGate: Int? = nil
  /// r and n: z does not see h.
  public static let recurrentGates = 1..<3
  /// n reads tanh x.
  public static let directInput: DirectInput? = DirectInput(gate: 2, isSquashed: true)

  /// One time step: the recurrent products, then the gates.
  public static func step(_ step: CellStep, on device: Device) {
    ResetGateSteps(update: .nothing, device.kernels.mut1).step(step, on: device)
  }

  /// The same backwards.
  public static func stepBackward(_ step: CellStepBackward, on device: Device) {
    ResetGateSteps(update: .nothing, device.kernels.mut1).stepBackward(step, on: device)
  }

  /// r multiplies h, the candidate r·h.
  public static func weightGradient(
    sums: Matrix, hidden: Matrix, kept: Matrix?, into gradient: MutableMatrix, on device: Device
  ) {
    ResetGateSteps(update: .nothing, device.kernels.mut1).weightGradient(
      sums: sums, hidden: hidden, kept: kept!, into: gradient, on: device)
  }
}
