import Foundation
import Kernels

/// The pointwise kernels by their definitions, in double precision: the oracles of the tests.
enum Reference {
  static func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

  /// One row of one step of a cell.
  /// - Parameters:
  ///   - sums: W_xh x + b + context [G·H].
  ///   - weight: W_hh [G·H, H].
  ///   - before: the states before, h first, [H] each.
  static func step(_ cell: any RecurrentCell.Type, sums: [Double], weight: [Double], before: [[Double]])
    -> [[Double]]
  {
    let size = before[0].count
    func product(_ gate: Int, _ h: [Double]) -> [Double] {
      (0..<size).map { row in
        let at = (gate * size + row) * size
        return (0..<size).reduce(0) { $0 + weight[at + $1] * h[$1] }
      }
    }
    func gate(_ number: Int, _ h: [Double]) -> [Double] {
      zip(sums[number * size..<(number + 1) * size], product(number, h)).map { $0 + $1 }
    }
    let h = before[0]
    switch cell.name {
    case "lstm":
      let (i, f, o) = (gate(0, h).map(sigmoid), gate(1, h).map(sigmoid), gate(2, h).map(sigmoid))
      let g = gate(3, h).map { tanh($0) }
      let c = (0..<size).map { f[$0] * before[1][$0] + i[$0] * g[$0] }
      return [(0..<size).map { o[$0] * tanh(c[$0]) }, c]
    case "gru":
      let (r, z) = (gate(0, h).map(sigmoid), gate(1, h).map(sigmoid))
      let n = gate(2, zip(r, h).map { $0 * $1 }).map { tanh($0) }
      return [(0..<size).map { (1 - z[$0]) * n[$0] + z[$0] * h[$0] }]
    default: preconditionFailure("no definition of \(cell.name): write one")
    }
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
