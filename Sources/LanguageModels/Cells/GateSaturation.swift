public import Kernels

/// How often each gate of a layer is all but shut or all but open (Karpathy, Johnson & Li 2015, 4.2).
public struct GateSaturation: Sendable, Equatable {
  /// The gate's name in the cell's equations.
  public let gate: String
  /// The share of characters at which each unit's gate is below 0.1 [H].
  public let left: [Double]
  /// The share at which it is above 0.9 [H].
  public let right: [Double]

  /// Below this a gate is left-saturated, above 1 − this right-saturated.
  public static let limit: Float = 0.1

  /// Of the activations of one gate [T, H].
  public init(_ name: String, _ activations: Matrix) {
    gate = name
    var (low, high) = (
      [Int](repeating: 0, count: activations.columns), [Int](repeating: 0, count: activations.columns)
    )
    for row in 0..<activations.rows {
      let values = activations[row]
      for unit in 0..<activations.columns {
        if values[unit] < Self.limit { low[unit] += 1 }
        if values[unit] > 1 - Self.limit { high[unit] += 1 }
      }
    }
    let count = Double(max(1, activations.rows))
    left = low.map { Double($0) / count }
    right = high.map { Double($0) / count }
  }

  /// Of all gates that σ opens, of activated gates [T, G·H] in the cell's order; none where a cell has none.
  public static func all(_ gates: Matrix, of cell: any RecurrentCell.Type) -> [GateSaturation] {
    let size = gates.columns / cell.gates
    return (0..<cell.sigmoidGates).map { gate in
      GateSaturation(cell.gateNames[gate], gates.columns(gate * size..<(gate + 1) * size))
    }
  }
}
