/// Draws one class of each of `rows` rows of V logits, with the probability that softmax(logits + bias) gives it when
/// the `excluded` classes are left out.
/// - Parameters:
///   - logits: [rows, V]; overwritten.
///   - uniforms: [rows], each in 0..<1: decides the draw (inverse of the cumulative distribution).
/// - Returns: [rows].
public func drawClasses(
  rows: Int, columns: Int, logits: UnsafeMutablePointer<Float>, bias: UnsafePointer<Float>?,
  excluding excluded: [Int32] = [], uniforms: [Float], pool: ThreadPool = .shared,
  instructions: InstructionSet = .current
) -> [Int32] {
  precondition(excluded.allSatisfy { $0 >= 0 && $0 < columns }, "\(excluded) of \(columns) classes")
  precondition(uniforms.count == rows, "\(uniforms.count) uniform numbers for \(rows) rows")
  // The gradient of the cross-entropy, p − onehot(0), holds all probabilities.
  let entropy = instructions.table.pointer.pointee.cross_entropy_row!
  var ids = [Int32](repeating: 0, count: rows)
  ids.withUnsafeMutableBufferPointer { ids in
    uniforms.withUnsafeBufferPointer { uniforms in
      nonisolated(unsafe) let (ids, uniforms) = (ids, uniforms)
      pool.runRows(rows, columns: columns) { range in
        for row in range {
          let p = logits + row * columns
          _ = entropy(p, bias, columns, 0, 1, 0)
          p[0] += 1
          for id in excluded { p[Int(id)] = 0 }
          var total: Float = 0
          for column in 0..<columns { total += p[column] }
          var rest = uniforms[row] * total
          var drawn = 0
          for column in 0..<columns where p[column] > 0 {
            drawn = column
            rest -= p[column]
            if rest < 0 { break }
          }
          ids[row] = Int32(drawn)
        }
      }
    }
  }
  return ids
}
