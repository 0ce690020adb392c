public import Kernels
public import Tensors

/// Sequences of vectors instead of tokens: measurements, features, whatever has one row a step.
extension PackedSequences {
  /// The packing of sequences of so many steps each, at least 1, which stand for no tokens; those that are as long keep
  /// their order.
  /// - Returns: the packing, and for each of its sequences the number of the one that it is.
  public static func packing(lengths: [Int]) -> (sequences: PackedSequences, order: [Int]) {
    precondition(lengths.allSatisfy { $0 > 0 }, "\(lengths)")
    let order = lengths.indices.sorted { (lengths[$1], $0) < (lengths[$0], $1) }
    let batchSizes = (0..<(order.first.map { lengths[$0] } ?? 0)).map { t in
      order.prefix { lengths[$0] > t }.count
    }
    let none = [Int32](repeating: 0, count: lengths.reduce(0, +))
    let sequences = PackedSequences(
      inputs: none, targets: none, batchSizes: batchSizes,
      imageRows: [Int32](repeating: 0, count: lengths.count))
    return (sequences, order)
  }

  /// The row of each position [P] among the rows of padded sequences [N·T, …], of which packed sequence b is number
  /// `order[b]`.
  private func rows(_ order: [Int], steps count: Int) -> [Int32] {
    precondition(order.count == self.count && steps.count <= count, "\(order.count) of \(self.count)")
    return steps.flatMap { step in order[..<step.rows].map { Int32($0 * count + step.index) } }
  }

  /// Vectors of padded sequences [N, T, E] as they are packed [P, E], what is beyond their ends left out.
  /// - Parameter order: the number of each packed sequence among the N, as `packing(lengths:)` gives it.
  public func packed(_ padded: Tensor, order: [Int], on device: Device) -> Tensor {
    let (count, steps, width) = (padded.shape[0], padded.shape[1], padded.shape[2])
    precondition(order.allSatisfy { (0..<count).contains($0) }, "\(order) of \(count)")
    var result = Tensor(uninitialized: [positions, width])
    let flat = padded.reshaped([count * steps, width])
    gatherRows(rows(order, steps: steps), of: flat.matrix, into: result.mutableMatrix(), on: device)
    return withExtendedLifetime(flat) { result }
  }

  /// Packed vectors [P, E] as padded sequences [B, T, E] in their own order, zeros beyond their ends.
  /// - Parameter order: as in `packed`.
  public func padded(_ packed: Tensor, order: [Int], on device: Device) -> Tensor {
    precondition(packed.shape[0] == positions && order.sorted().elementsEqual(0..<count), "\(order)")
    let width = packed.shape[1]
    var result = Tensor(uninitialized: [count * steps.count, width])
    scatterAdd(packed.matrix, to: rows(order, steps: steps.count), into: result.mutableMatrix(), on: device)
    return withExtendedLifetime(packed) { result.reshaped([count, steps.count, width]) }
  }

  /// The last position of each sequence [B].
  public var lastPositions: [Int32] {
    var last = [Int32](repeating: 0, count: count)
    for step in steps {
      for row in 0..<step.rows { last[row] = Int32(step.range.lowerBound + row) }
    }
    return last
  }
}
