import Foundation
import Kernels

/// The cells by their definitions, in double precision: the oracles of the tests.
extension Reference {
  /// One row of one step of a cell.
  /// - Parameters:
  ///   - sums: W_xh x, or what else a gate reads of x, + b + context [G·H].
  ///   - weight: W_hh, H rows of H for each gate that has some.
  ///   - peepholes: H for each.
  ///   - before: the states before, h first, [H] each.
  static func step(
    _ cell: any RecurrentCell.Type, sums: [Double], weight: [Double], peepholes: [Double],
    before: [[Double]]
  ) -> [[Double]] {
    let size = before[0].count
    /// Sum `number`, alone or with the product of some h and of the rows of W_hh that are this gate's.
    func gate(_ number: Int, _ h: [Double]? = nil, rows: Int? = nil) -> [Double] {
      (0..<size).map { unit in
        let at = ((rows ?? number) * size + unit) * size
        return sums[number * size + unit]
          + (h.map { h in (0..<size).reduce(0) { $0 + weight[at + $1] * h[$1] } } ?? 0)
      }
    }
    func plus(_ x: [Double], _ y: [Double]) -> [Double] { zip(x, y).map { $0 + $1 } }
    func times(_ x: [Double], _ y: [Double]) -> [Double] { zip(x, y).map { $0 * $1 } }
    func peep(_ number: Int, _ c: [Double]) -> [Double] {
      times(Array(peepholes[number * size..<(number + 1) * size]), c)
    }
    let h = before[0]
    func lstm(i: [Double], f: [Double], o: [Double], g: [Double]) -> [[Double]] {
      let c = plus(times(f, before[1]), times(i, g))
      return [times(o, c.map { tanh($0) }), c]
    }
    /// z of the one and 1 − z of the other.
    func mix(_ z: [Double], _ one: [Double], _ other: [Double]) -> [[Double]] {
      [(0..<size).map { z[$0] * one[$0] + (1 - z[$0]) * other[$0] }]
    }
    switch cell.name {
    case "lstm":
      return lstm(
        i: gate(0, h).map(sigmoid), f: gate(1, h).map(sigmoid), o: gate(2, h).map(sigmoid),
        g: gate(3, h).map { tanh($0) })
    case "lstm-peephole":
      let i = plus(gate(0, h), peep(0, before[1])).map(sigmoid)
      let f = plus(gate(1, h), peep(1, before[1])).map(sigmoid)
      let g = gate(3, h).map { tanh($0) }
      let c = plus(times(f, before[1]), times(i, g))
      return lstm(i: i, f: f, o: plus(gate(2, h), peep(2, c)).map(sigmoid), g: g)
    case "lstm-coupled":
      let i = gate(0, h).map(sigmoid)
      return lstm(i: i, f: i.map { 1 - $0 }, o: gate(1, h).map(sigmoid), g: gate(2, h).map { tanh($0) })
    case "lstm-no-forget":
      return lstm(
        i: gate(0, h).map(sigmoid), f: h.map { _ in 1 }, o: gate(1, h).map(sigmoid),
        g: gate(2, h).map { tanh($0) })
    case "lstm-maxout":
      return lstm(
        i: gate(0, h).map(sigmoid), f: gate(1, h).map(sigmoid), o: gate(2, h).map(sigmoid),
        g: zip(gate(3, h), gate(4, h)).map(max))
    case "lstm-linear":
      let states = lstm(
        i: gate(0, h).map(sigmoid), f: gate(1, h).map(sigmoid), o: gate(2, h).map(sigmoid),
        g: gate(3, h).map { tanh($0) })
      return [times(gate(2, h).map(sigmoid), states[1]), states[1]]
    case "gru":
      let (r, z) = (gate(0, h).map(sigmoid), gate(1, h).map(sigmoid))
      return mix(z, h, gate(2, times(r, h)).map { tanh($0) })
    case "mut1":
      let (z, r) = (gate(0).map(sigmoid), gate(1, h, rows: 0).map(sigmoid))
      return mix(z, gate(2, times(r, h), rows: 1).map { tanh($0) }, h)
    case "mut2":
      let (r, z) = (gate(0, h).map(sigmoid), gate(1, h).map(sigmoid))
      return mix(z, gate(2, times(r, h)).map { tanh($0) }, h)
    case "mut3":
      let (r, z) = (gate(0, h).map(sigmoid), gate(1, h.map { tanh($0) }).map(sigmoid))
      return mix(z, gate(2, times(r, h)).map { tanh($0) }, h)
    case "min-gru": return mix(gate(0).map(sigmoid), gate(1), h)
    case "rnn": return [gate(0, h).map { tanh($0) }]
    case "irnn": return [gate(0, h).map { max(0, $0) }]
    default: preconditionFailure("no definition of \(cell.name): write one")
    }
  }
}
