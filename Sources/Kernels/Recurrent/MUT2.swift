internal import CKernels

/// The second of the three cells that an evolutionary search found (Jozefowicz et al. 2015):
///
///     z = σ(W_xz xₜ + W_hz hₜ₋₁ + b_z + context),  r = σ(xₜ + W_hr hₜ₋₁ + b_r + context)
///     n = tanh(W_xn xₜ + W_hn (r·hₜ₋₁) + b_n + context),  hₜ = z·n + (1 − z)·hₜ₋₁
///
/// x itself enters r, so that E = H. Backwards it is the `GRU` with z and 1 − z in each other's place.
public enum MUT2: RecurrentCell {
  /// `mut2`.
  public static let name = "mut2"
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
  /// None: z is a gate between new and old.
  public static let rememberingGate: Int? = nil
  /// r reads x.
  public static let directInput: DirectInput? = DirectInput(gate: 0, isSquashed: false)

  /// One time step: the recurrent products, then the gates.
  public static func step(_ step: CellStep, on device: Device) {
    ResetGateSteps(update: .hidden, device.kernels.mut).step(step, on: device)
  }

  /// The same backwards.
  public static func stepBackward(_ step: CellStepBackward, on device: Device) {
    ResetGateSteps(update: .hidden, device.kernels.mut).stepBackward(step, on: device)
  }

  /// r and z multiply h, the candidate r·h.
  public static func weightGradient(
    sums: Matrix, hidden: Matrix, kept: Matrix?, into gradient: MutableMatrix, on device: Device
  ) {
    ResetGateSteps(update: .hidden, device.kernels.mut).weightGradient(
      sums: sums, hidden: hidden, kept: kept!, into: gradient, on: device)
  }
}
