import Foundation

/// The pointwise kernels by their definitions, in double precision: the oracles of the tests.
enum Reference {
  static func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

  static func logSoftmax(_ x: [Double]) -> [Double] {
    let largest = x.max()!
    let logSum = log(x.map { exp($0 - largest) }.reduce(0, +)) + largest
    return x.map { $0 - logSum }
  }

  /// torch.optim.Adam on one scalar.
  static func adam(_ value: Double, gradients: [Double], rate: Double) -> Double {
    var (w, m, v) = (value, 0.0, 0.0)
    for (t, g) in gradients.enumerated() {
      m = 0.9 * m + 0.1 * g
      v = 0.999 * v + 0.001 * g * g
      let steps = Double(t + 1)
      w -= rate / (1 - pow(0.9, steps)) * m / ((v / (1 - pow(0.999, steps))).squareRoot() + 1e-8)
    }
    return w
  }
}
