/// The sum of each column of x [rows, columns]; rows are added in order.
public func columnSums(
  rows: Int, columns: Int, _ x: UnsafePointer<Float>, into sums: UnsafeMutablePointer<Float>,
  pool: ThreadPool = .shared, instructions: InstructionSet = .current
) {
  let sum = instructions.table.pointer.pointee.column_sums!
  pool.runPieces(of: columns, size: 256) { range in
    sum(x + range.lowerBound, rows, columns, range.count, sums + range.lowerBound)
  }
}

/// sums[indices[r]] += x[r] for each row r of x [rows, columns], in order; the target has `targetRows` rows and is
/// overwritten. The backward pass of a gather.
public func scatterRows(
  rows: Int, columns: Int, _ x: UnsafePointer<Float>, to indices: UnsafePointer<Int32>,
  into sums: UnsafeMutablePointer<Float>, targetRows: Int, pool: ThreadPool = .shared,
  instructions: InstructionSet = .current
) {
  let add = instructions.table.pointer.pointee.axpy!
  pool.runPieces(of: columns, size: 128) { range in
    let from = range.lowerBound
    for row in 0..<targetRows { (sums + row * columns + from).update(repeating: 0, count: range.count) }
    for row in 0..<rows {
      add(1, x + row * columns + from, sums + Int(indices[row]) * columns + from, range.count)
    }
  }
}

/// y[r] = table[indices[r]] for each of `rows` rows of `columns` scalars.
public func gatherRows(
  rows: Int, columns: Int, from table: UnsafePointer<Float>, _ indices: UnsafePointer<Int32>,
  into y: UnsafeMutablePointer<Float>, pool: ThreadPool = .shared
) {
  pool.runRows(rows, columns: columns) { range in
    for row in range { (y + row * columns).update(from: table + Int(indices[row]) * columns, count: columns) }
  }
}

/// Σ x², in double precision: pieces of fixed size, added in order.
public func sumOfSquares(
  _ x: UnsafePointer<Float>, count: Int, pool: ThreadPool = .shared, instructions: InstructionSet = .current
) -> Double {
  let sum = instructions.table.pointer.pointee.sum_of_squares!
  let size = 65_536
  var partial = [Double](repeating: 0, count: (count + size - 1) / size)
  partial.withUnsafeMutableBufferPointer { partial in
    pool.runPieces(of: count, size: size) { range in
      partial[range.lowerBound / size] = sum(x + range.lowerBound, range.count)
    }
  }
  return partial.reduce(0, +)
}
