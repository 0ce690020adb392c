internal import CKernels

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
    self.count = count
    self.ids = ids
    self.logProbabilities = logProbabilities
  }
}

/// The `count` largest of log softmax(logits + bias) in each row.
/// - Parameters:
///   - logits: [rows, V]; overwritten.
///   - bias: [V].
///   - excluded: classes left out of the choice, though not of the softmax.
///   - excludedByRow: those of each row beside them; none when empty.
public func topClasses(
  _ count: Int, of logits: MutableMatrix, bias: UnsafePointer<Float>?, excluding excluded: [Int32] = [],
  excludingByRow excludedByRow: [[Int32]] = [], on device: Device
) -> TopClasses {
  let (rows, columns) = (logits.rows, logits.columns)
  for excluded in [excluded] + excludedByRow {
    precondition(excluded.allSatisfy { $0 >= 0 && $0 < columns }, "\(excluded) of \(columns) classes")
  }
  precondition(excludedByRow.isEmpty || excludedByRow.count == rows)
  let top = device.kernels.top_k_row!
  let count = min(count, columns)
  var ids = [Int32](repeating: -1, count: rows * count)
  var values = [Float](repeating: -.infinity, count: rows * count)
  ids.withUnsafeMutableBufferPointer { ids in
    values.withUnsafeMutableBufferPointer { values in
      guard rows > 0, count > 0 else { return }
      let (ids, values) = (ids.baseAddress!, values.baseAddress!)
      device.pool.runRows(rows, columns: columns) { range in
        for row in range {
          let excluded = excludedByRow.isEmpty ? excluded : excluded + excludedByRow[row]
          excluded.withUnsafeBufferPointer {
            _ = top(
              logits[row], bias, columns, $0.baseAddress, Int32($0.count), Int32(count),
              ids + row * count, values + row * count)
          }
        }
      }
    }
  }
  return TopClasses(count: count, ids: ids, logProbabilities: values)
}
