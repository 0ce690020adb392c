import Foundation

/// The pointwise kernels by their definitions, in double precision: the oracles of the tests.
enum Reference {
  static func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

  /// One row of an LSTM from the sums of its gates [i, f, o, g].
  static func lstm(sums: [Double], cellBefore: [Double]) -> (
    gates: [Double], cell: [Double], hidden: [Double]
  ) {
    let size = cellBefore.count
    var gates = sums.map(sigmoid)
    for j in 3 * size..<4 * size { gates[j] = tanh(sums[j]) }
    let cell = (0..<size).map { gates[size + $0] * cellBefore[$0] + gates[$0] * gates[3 * size + $0] }
    let hidden = (0..<size).map { gates[2 * size + $0] * tanh(cell[$0]) }
    return (gates, cell, hidden)
  }

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
