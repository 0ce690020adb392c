internal import Foundation

/// P(y) = σ(w₀ + w₁x₁ + w₂x₂), fitted by Newton's method to Platt's targets: (N₊ + 1)/(N₊ + 2) for what is so and
/// 1/(N₋ + 2) for what is not (Platt 1999), with which the weights stay finite even where x tells all.
struct LogisticRegression {
  typealias Features = SIMD2<Double>
  /// w₀.
  private(set) var constant = 0.0
  /// w₁ and w₂.
  private(set) var weights = Features()

  /// Fits; x must be finite. With no samples every probability is 1/2.
  init(_ x: [Features], _ y: [Bool]) {
    precondition(x.count == y.count)
    guard !x.isEmpty else { return }
    // Standardised, so that one small damping fits both: a feature that never varies gets a weight of 0.
    let mean = x.reduce(Features(), +) / Double(x.count)
    let variance = x.reduce(Features()) { $0 + ($1 - mean) * ($1 - mean) } / Double(x.count)
    let scale = Features(
      variance[0] > 1e-18 ? variance[0].squareRoot() : 1, variance[1] > 1e-18 ? variance[1].squareRoot() : 1)
    let standard = x.map { ($0 - mean) / scale }
    let positives = Double(y.count { $0 })
    let high = (positives + 1) / (positives + 2)
    let low = 1 / (Double(y.count) - positives + 2)
    let targets = y.map { $0 ? high : low }

    var w = SIMD3<Double>(log((positives + 1) / (Double(y.count) - positives + 1)), 0, 0)
    var loss = Self.loss(w, standard, targets)
    for _ in 0..<50 {
      let step = Self.newtonStep(w, standard, targets)
      var length = 1.0
      var better = false
      while length > 1e-6, !better {
        let candidate = w - length * step
        let found = Self.loss(candidate, standard, targets)
        if found < loss {
          better = loss - found > 1e-12 * Double(x.count)
          (w, loss) = (candidate, found)
          break
        }
        length /= 2
      }
      if !better { break }
    }
    weights = Features(w[1], w[2]) / scale
    constant = w[0] - (weights * mean).sum()
  }

  /// P(y) of `x`.
  func probability(_ x: Features) -> Double { Self.sigmoid(constant + (weights * x).sum()) }

  private static func sigmoid(_ z: Double) -> Double { 1 / (1 + exp(-z)) }

  /// Cross-entropy, with the faintest of pulls to 0.
  private static func loss(_ w: SIMD3<Double>, _ x: [Features], _ targets: [Double]) -> Double {
    zip(x, targets).reduce(damping * (w * w).sum() / 2) { sum, sample in
      let z = w[0] + w[1] * sample.0[0] + w[2] * sample.0[1]
      // ln(1 + eᶻ) − t·z, without overflow.
      return sum + max(z, 0) + log1p(exp(-abs(z))) - sample.1 * z
    }
  }

  private static let damping = 1e-6

  /// H⁻¹g by Cramer's rule; H is positive definite.
  private static func newtonStep(_ w: SIMD3<Double>, _ x: [Features], _ targets: [Double]) -> SIMD3<Double> {
    var gradient = damping * w
    var (a, b, c) = (SIMD3(damping, 0, 0), SIMD3(0, damping, 0), SIMD3(0, 0, damping))
    for (features, target) in zip(x, targets) {
      let row = SIMD3(1, features[0], features[1])
      let p = sigmoid((w * row).sum())
      gradient += (p - target) * row
      let weight = p * (1 - p)
      a += weight * row[0] * row
      b += weight * row[1] * row
      c += weight * row[2] * row
    }
    func determinant(_ a: SIMD3<Double>, _ b: SIMD3<Double>, _ c: SIMD3<Double>) -> Double {
      a[0] * (b[1] * c[2] - b[2] * c[1]) - a[1] * (b[0] * c[2] - b[2] * c[0]) + a[2]
        * (b[0] * c[1] - b[1] * c[0])
    }
    // H is symmetric: its rows are its columns.
    let whole = determinant(a, b, c)
    guard whole > 0 else { return gradient }
    return SIMD3(determinant(gradient, b, c), determinant(a, gradient, c), determinant(a, b, gradient))
      / whole
  }
}
