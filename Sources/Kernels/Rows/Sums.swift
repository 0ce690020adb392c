internal import CKernels

/// The sum of each column of x [rows, columns]; rows are added in order.
public func columnSums(_ x: Matrix, into sums: UnsafeMutablePointer<Float>, on device: Device) {
  let sum = device.kernels.column_sums!
  device.pool.runChunks(of: x.columns, size: 256) { range in
    sum(x.base + range.lowerBound, x.rows, x.stride, range.count, sums + range.lowerBound)
  }
}

/// Σ over the rows of x·y, both [rows, columns], in order: the gradient of a weight for each column.
public func columnProducts(
  _ x: Matrix, _ y: Matrix, into sums: UnsafeMutablePointer<Float>, on device: Device
) {
  precondition(x.rows == y.rows && x.columns == y.columns)
  let add = device.kernels.add_products!
  device.pool.runChunks(of: x.columns, size: 256) { range in
    let from = range.lowerBound
    (sums + from).update(repeating: 0, count: range.count)
    for row in 0..<x.rows { add(x[row] + from, y[row] + from, sums + from, range.count) }
  }
}

/// y += x, both [rows, columns].
public func addRows(_ x: Matrix, to y: MutableMatrix, on device: Device) {
  precondition(x.rows == y.rows && x.columns == y.columns)
  let add = device.kernels.axpy!
  device.pool.runRows(x.rows, columns: x.columns) { range in
    for row in range { add(1, x[row], y[row], x.columns) }
  }
}

/// sums[indices[r]] += x[r] for each row r of x [rows, columns], in order; `sums` [·, columns] is overwritten. The
/// backward pass of a gather.
public func scatterAdd(
  _ x: Matrix, to indices: UnsafePointer<Int32>, into sums: MutableMatrix, on device: Device
) {
  precondition(x.columns == sums.columns)
  let add = device.kernels.axpy!
  device.pool.runChunks(of: x.columns, size: 128) { range in
    let from = range.lowerBound
    for row in 0..<sums.rows { (sums[row] + from).update(repeating: 0, count: range.count) }
    for row in 0..<x.rows { add(1, x[row] + from, sums[Int(indices[row])] + from, range.count) }
  }
}

/// y[r] = table[indices[r]] for each row r of y [rows, columns].
public func gatherRows(
  _ indices: UnsafePointer<Int32>, of table: Matrix, into y: MutableMatrix, on device: Device
) {
  precondition(table.columns == y.columns)
  device.pool.runRows(y.rows, columns: y.columns) { range in
    for row in range { y[row].update(from: table[Int(indices[row])], count: y.columns) }
  }
}

/// Σ x² of `count` scalars, in double precision: chunks of fixed size, added in order.
public func sumOfSquares(_ x: UnsafePointer<Float>, count: Int, on device: Device) -> Double {
  let sum = device.kernels.sum_of_squares!
  let size = 65_536
  var partial = [Double](repeating: 0, count: (count + size - 1) / size)
  partial.withUnsafeMutableBufferPointer { partial in
    device.pool.runChunks(of: count, size: size) { range in
      partial[range.lowerBound / size] = sum(x + range.lowerBound, range.count)
    }
  }
  return partial.reduce(0, +)
}

/// y[r] += table[indices[r]] for each row r of y [rows, columns].
public func addRows(
  _ indices: UnsafeBufferPointer<Int32>, of table: Matrix, to y: MutableMatrix, on device: Device
) {
  precondition(table.columns == y.columns && indices.count == y.rows)
  let add = device.kernels.bias_row!
  device.pool.runRows(y.rows, columns: y.columns) { range in
    for row in range { add(y[row], table[Int(indices[row])], y.columns) }
  }
}
