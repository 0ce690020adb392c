/// Softmax with cross-entropy over `rows` rows of V logits, in one pass while a row is in the cache:
///
///     log pₜ = xₜ − log Σ eˣ,  δx = (p − (1 − ε)·onehot(t) − ε/V)·scale,  x = logits + bias
///
/// ε smooths the labels (Szegedy et al. 2016).
///
/// - Parameters:
///   - logits: [rows, V]: afterwards δx, or x where `scale` is 0.
///   - bias: [V].
///   - targets: [rows], each in 0..<V.
///   - weights: [rows]: what δx of a row is multiplied by besides `scale`; nil: 1.
///   - logProbabilities: [rows]: log pₜ, natural logarithms.
public func softmaxCrossEntropy(
  rows: Int, columns: Int, logits: UnsafeMutablePointer<Float>, bias: UnsafePointer<Float>?,
  targets: UnsafePointer<Int32>, gradientScale scale: Float, labelSmoothing: Float = 0,
  weights: UnsafePointer<Float>? = nil, logProbabilities: UnsafeMutablePointer<Float>,
  pool: ThreadPool = .shared, instructions: InstructionSet = .current
) {
  let entropy = instructions.table.pointer.pointee.cross_entropy_row!
  pool.runRows(rows, columns: columns) { range in
    for row in range {
      let weight = weights.map { $0[row] } ?? 1
      logProbabilities[row] = entropy(
        logits + row * columns, bias, columns, Int(targets[row]), scale * weight, labelSmoothing)
      if scale != 0 && scale * weight == 0 {
        (logits + row * columns).update(repeating: 0, count: columns)
      }
    }
  }
}

/// The k likeliest classes of each of `rows` rows of V logits.
public struct TopClasses: Sendable {
  /// k: how many places each row has.
  public let count: Int
  /// [rows, k], the likeliest first, of equals the lower; places that could not be filled hold -1.
  public let ids: [Int32]
  /// [rows, k]: log softmax, natural logarithms.
  public let logProbabilities: [Float]

  /// Classes chosen by other means.
  public init(count: Int, ids: [Int32], logProbabilities: [Float]) {
    (self.count, self.ids, self.logProbabilities) = (count, ids, logProbabilities)
  }
}

/// The `count` largest of log softmax(logits + bias) in each row.
/// - Parameters:
///   - logits: [rows, V]; overwritten.
///   - excluded: classes left out of the choice, though not of the softmax.
///   - excludedByRow: those of each row beside them; none when empty.
public func topClasses(
  _ count: Int, rows: Int, columns: Int, logits: UnsafeMutablePointer<Float>, bias: UnsafePointer<Float>?,
  excluding excluded: [Int32] = [], excludingByRow excludedByRow: [[Int32]] = [],
  pool: ThreadPool = .shared, instructions: InstructionSet = .current
) -> TopClasses {
  for excluded in [excluded] + excludedByRow {
    precondition(excluded.allSatisfy { $0 >= 0 && $0 < columns }, "\(excluded) of \(columns) classes")
  }
  precondition(excludedByRow.isEmpty || excludedByRow.count == rows)
  let top = instructions.table.pointer.pointee.top_k_row!
  let count = min(count, columns)
  var ids = [Int32](repeating: -1, count: rows * count)
  var values = [Float](repeating: -.infinity, count: rows * count)
  ids.withUnsafeMutableBufferPointer { ids in
    values.withUnsafeMutableBufferPointer { values in
      guard rows > 0, count > 0 else { return }
      let (ids, values) = (ids.baseAddress!, values.baseAddress!)
      pool.runRows(rows, columns: columns) { range in
        for row in range {
          let excluded = excludedByRow.isEmpty ? excluded : excluded + excludedByRow[row]
          excluded.withUnsafeBufferPointer {
            _ = top(
              logits + row * columns, bias, columns, $0.baseAddress, Int32($0.count), Int32(count),
              ids + row * count, values + row * count)
          }
        }
      }
    }
  }
  return TopClasses(count: count, ids: ids, logProbabilities: values)
}
