/// The arithmetic of one kind of recurrent network: how a step's gates make its states. It knows neither sequences nor
/// what it is conditioned on, and has no parameters of its own: those are `Recurrent`'s.
///
/// G gates a unit, S states (h first), K further floats that the backward pass needs.
public protocol RecurrentCell: Sendable {
  /// The key in a model file and on the command line: `lstm`.
  static var name: String { get }
  /// G.
  static var gates: Int { get }
  /// What the cell's equations call its gates [G].
  static var gateNames: [String] { get }
  /// How many gates σ opens and shuts, the first ones: each is between 0 and 1.
  static var sigmoidGates: Int { get }
  /// S.
  static var states: Int { get }
  /// K.
  static var kept: Int { get }
  /// Floats of scratch memory for each unit of a row.
  static var scratch: Int { get }
  /// The gate whose open state remembers: its bias begins at 1 (Jozefowicz et al. 2015). Nil: all begin at 0.
  static var rememberingGate: Int? { get }

  /// The gates with rows in W_hh, which follow each other; all unless it says otherwise.
  static var recurrentGates: Range<Int> { get }
  /// The gate that reads x itself instead of W_xh x; nil, as usual: all have rows in W_xh.
  static var directInput: DirectInput? { get }
  /// The weights a unit by which gates see a state; none unless it says otherwise.
  static var peepholes: [Peephole] { get }
  /// How W_xh and W_hh begin; uniform unless it says otherwise.
  static var initialWeights: InitialWeights { get }

  /// One time step of all rows.
  static func step(_ step: CellStep, on device: Device)
  /// One time step backwards: the gates become the gradients of their sums, and the states' gradients go one step back.
  static func stepBackward(_ step: CellStepBackward, on device: Device)
  /// δW_hh, overwritten, of all steps that went on from others.
  /// - Parameters:
  ///   - sums: the gradients of the gates' sums [L, G·H].
  ///   - hidden: h of the step before each of them [L, H].
  ///   - kept: what their steps kept [L, K·H].
  static func weightGradient(
    sums: Matrix, hidden: Matrix, kept: Matrix?, into gradient: MutableMatrix, on device: Device)
}

extension RecurrentCell {
  /// All.
  public static var recurrentGates: Range<Int> { 0..<gates }
  /// None.
  public static var directInput: DirectInput? { nil }
  /// None.
  public static var peepholes: [Peephole] { [] }
  /// Uniform.
  public static var initialWeights: InitialWeights { .uniform }
  /// The gates with rows in W_xh, which follow each other.
  public static var inputGates: Range<Int> {
    switch directInput?.gate {
    case nil: 0..<gates
    case 0: 1..<gates
    case let last?: 0..<last
    }
  }

  /// Where every gate with rows in W_hh multiplies h: δsumsᵀ h.
  public static func weightGradient(
    sums: Matrix, hidden: Matrix, kept: Matrix?, into gradient: MutableMatrix, on device: Device
  ) {
    let size = hidden.columns
    let columns = recurrentGates.lowerBound * size..<recurrentGates.upperBound * size
    multiply(.transposed(sums.columns(columns)), .plain(hidden), into: gradient, on: device)
  }
}

/// The gate, the first or the last, whose sum has x itself where others have W_xh x: E = H, and W_xh has no rows for it.
public struct DirectInput: Sendable {
  /// Its number.
  public let gate: Int
  /// Whether it reads tanh x.
  public let isSquashed: Bool
}

/// A weight a unit by which a gate sees a state: p·c is part of its sum.
public struct Peephole: Sendable {
  /// The gate that sees.
  public let gate: Int
  /// The state that it sees.
  public let state: Int
  /// Whether that is the state after the step, not before.
  public let isAfter: Bool
}

/// How the weights of a layer begin.
public enum InitialWeights: Sendable {
  /// W_xh and W_hh uniform in ±1/√H.
  case uniform
  /// W_hh the identity, W_xh normal of mean 0 (Le et al. 2015).
  case identity(inputDeviation: Float)
}
