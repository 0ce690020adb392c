public import Kernels
public import Layers

/// What a layer's W_hh does to a vector, gate by gate.
public struct RecurrentSpectrum: Sendable {
  /// The gate's name in the cell's equations.
  public let gate: String
  /// Of its block [H, H], the furthest from 0 first.
  public let eigenvalues: [Eigenvalue]
  /// Of the same, the largest first.
  public let singularValues: [Double]

  /// The most units of a layer whose spectrum is taken: time grows with their cube.
  public static let mostUnits = 1024

  /// Of each gate that multiplies h; nil where a layer has too many units, a weight that is no number, or an eigenvalue that
  /// is not found.
  public static func all<Cell: RecurrentCell>(
    of layer: Recurrent<Cell>, on device: Device
  ) -> [RecurrentSpectrum]? {
    let size = layer.hidden
    guard size <= mostUnits else { return nil }
    guard let weights = layer.hiddenWeight?.value.scalars else { return [] }
    guard weights.allSatisfy(\.isFinite) else { return nil }
    var result: [RecurrentSpectrum] = []
    for (place, gate) in Cell.recurrentGates.enumerated() {
      let block = weights[place * size * size..<(place + 1) * size * size].map(Double.init)
      guard let spectrum = RecurrentSpectrum(Cell.gateNames[gate], block, order: size, on: device) else {
        return nil
      }
      result.append(spectrum)
    }
    return result
  }

  /// Of a finite matrix [n, n]; nil where an eigenvalue is not found.
  public init?(_ gate: String, _ matrix: [Double], order n: Int, on device: Device) {
    guard let eigen = GeneralEigen(matrix, order: n, on: device) else { return nil }
    self.gate = gate
    eigenvalues = eigen.values
    // Roots of the eigenvalues of WᵀW: right to a hundred-millionth of the largest.
    var gram = [Double](repeating: 0, count: n * n)
    for row in 0..<n {
      for i in 0..<n {
        let weight = matrix[row * n + i]
        for j in 0...i { gram[i * n + j] += weight * matrix[row * n + j] }
      }
    }
    singularValues = SymmetricEigen(gram, order: n, vectors: 0, on: device).values.map {
      max(0, $0).squareRoot()
    }
  }

  /// The largest magnitude of an eigenvalue.
  public var spectralRadius: Double { eigenvalues.first?.magnitude ?? 0 }
}
