internal import CKernels

/// A plain recurrent network of rectified linear units that begins by remembering all (Le, Jaitly & Hinton 2015):
///
///     hₜ = max(0, W_xh xₜ + W_hh hₜ₋₁ + b + context)
///
/// W_hh is the identity at first, b zero, and W_xh normal of deviation 0.001. Backwards δsum = δh where h > 0.
public enum IRNN: RecurrentCell {
  /// `irnn`.
  public static let name = "irnn"
  /// h.
  public static let gates = 1
  /// As in the equations.
  public static let gateNames = ["h"]
  /// None.
  public static let sigmoidGates = 0
  /// h.
  public static let states = 1
  /// Nothing: h is its gate.
  public static let kept = 0
  /// W_hh h.
  public static let scratch = 1
  /// None: W_hh remembers.
  public static let rememberingGate: Int? = nil
  /// The identity.
  public static let initialWeights = InitialWeights.identity(inputDeviation: 0.001)

  /// One time step: the recurrent product, then ReLU.
  public static func step(_ step: CellStep, on device: Device) {
    rnnStep(step, device.kernels.irnn, on: device)
  }

  /// The same backwards.
  public static func stepBackward(_ step: CellStepBackward, on device: Device) {
    rnnStepBackward(step, device.kernels.irnn, on: device)
  }
}
