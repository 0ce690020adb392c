internal import Foundation

/// P(y) = σ(w₀ + w·x), fitted by Newton's method to Platt's targets: (N₊ + 1)/(N₊ + 2) for what is so and 1/(N₋ + 2) for
/// what is not (Platt 1999), with which the weights stay finite even where x tells all.
struct LogisticRegression {
  /// w₀.
  private(set) var constant = 0.0
  /// w; empty where it was fitted to nothing.
  private(set) var weights: [Double] = []

  /// Fits; x must be finite, as many numbers in each. With no samples every probability is 1/2.
  init(_ x: [[Double]], _ y: [Bool]) {
    precondition(x.count == y.count)
    guard let size = x.first?.count else { return }
    // Standardised, so that one small damping fits all: a feature that never varies gets a weight of 0.
    let mean = (0..<size).map { k in x.reduce(0) { $0 + $1[k] } / Double(x.count) }
    let scale = (0..<size).map { k in
      let variance = x.reduce(0) { $0 + ($1[k] - mean[k]) * ($1[k] - mean[k]) } / Double(x.count)
      return variance > 1e-18 ? variance.squareRoot() : 1
    }
    let rows = x.map { features in [1] + features.indices.map { (features[$0] - mean[$0]) / scale[$0] } }
    let positives = Double(y.count { $0 })
    let high = (positives + 1) / (positives + 2)
    let low = 1 / (Double(y.count) - positives + 2)
    let targets = y.map { $0 ? high : low }

    var w = [log((positives + 1) / (Double(y.count) - positives + 1))] + [Double](repeating: 0, count: size)
    var loss = Self.loss(w, rows, targets)
    for _ in 0..<50 {
      let step = Self.newtonStep(w, rows, targets)
      var length = 1.0
      var better = false
      while length > 1e-6, !better {
        let candidate = zip(w, step).map { $0 - length * $1 }
        let found = Self.loss(candidate, rows, targets)
        if found < loss {
          better = loss - found > 1e-12 * Double(x.count)
          (w, loss) = (candidate, found)
          break
        }
        length /= 2
      }
      if !better { break }
    }
    weights = zip(w.dropFirst(), scale).map(/)
    constant = w[0] - dot(weights, mean)
  }

  /// P(y) of `x`.
  func probability(_ x: [Double]) -> Double { sigmoid(constant + dot(weights, x)) }

  /// Cross-entropy, with the faintest of pulls to 0.
  private static func loss(_ w: [Double], _ rows: [[Double]], _ targets: [Double]) -> Double {
    zip(rows, targets).reduce(damping * dot(w, w) / 2) { sum, sample in
      let z = dot(w, sample.0)
      // ln(1 + eᶻ) − t·z, without overflow.
      return sum + max(z, 0) + log1p(exp(-abs(z))) - sample.1 * z
    }
  }

  private static let damping = 1e-6

  /// H⁻¹g.
  private static func newtonStep(_ w: [Double], _ rows: [[Double]], _ targets: [Double]) -> [Double] {
    var gradient = w.map { damping * $0 }
    var hessian = w.indices.map { i in w.indices.map { $0 == i ? damping : 0 } }
    for (row, target) in zip(rows, targets) {
      let p = sigmoid(dot(w, row))
      let weight = p * (1 - p)
      for i in row.indices {
        gradient[i] += (p - target) * row[i]
        for j in 0...i { hessian[i][j] += weight * row[i] * row[j] }
      }
    }
    return choleskySolve(hessian, gradient) ?? gradient
  }

  /// a⁻¹b of a symmetric a, of which the lower half is read; nil where it is not positive definite.
  private static func choleskySolve(_ a: [[Double]], _ b: [Double]) -> [Double]? {
    var l = a
    var x = b
    for i in b.indices {
      for j in 0...i {
        let rest = l[i][j] - (0..<j).reduce(0) { $0 + l[i][$1] * l[j][$1] }
        guard i != j || rest > 0 else { return nil }
        l[i][j] = i == j ? rest.squareRoot() : rest / l[j][j]
      }
      x[i] = (x[i] - (0..<i).reduce(0) { $0 + l[i][$1] * x[$1] }) / l[i][i]
    }
    for i in b.indices.reversed() {
      x[i] = (x[i] - (i + 1..<b.count).reduce(0) { $0 + l[$1][i] * x[$1] }) / l[i][i]
    }
    return x
  }
}

private func sigmoid(_ z: Double) -> Double { 1 / (1 + exp(-z)) }

private func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
