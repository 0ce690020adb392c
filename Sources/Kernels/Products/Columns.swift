internal import CKernels

/// y[r] = W[·, indices[r]] for each row r of y [rows, K] and W [K, E]: x Wᵀ for an x that is 1 at a row's index and 0
/// elsewhere.
public func gatherColumns(
  _ indices: [Int32], of weight: Matrix, into y: MutableMatrix, on device: Device
) {
  precondition(weight.rows == y.columns && indices.count == y.rows, "\(indices.count) rows of \(y.rows)")
  let columns = DistinctColumns(indices, of: weight.columns)
  // Each column is gathered where it is read first, and copied from there.
  device.pool.runRows(columns.firstRows.count, columns: 8 * y.columns) { range in
    for column in range {
      let row = columns.firstRows[column]
      let (source, destination) = (weight.base + Int(indices[row]), y[row])
      for k in 0..<weight.rows { destination[k] = source[k * weight.stride] }
    }
  }
  device.pool.runRows(y.rows, columns: y.columns) { range in
    for row in range {
      let first = columns.firstRows[columns.numbers[row]]
      if first != row { y[row].update(from: y[first], count: y.columns) }
    }
  }
}

/// δW[·, i] = Σ δy[r] over the rows r of δy [rows, K] whose index is i, in order; other columns of δW [K, E] are zero. The
/// backward pass of `gatherColumns`.
public func scatterAddColumns(
  _ dy: Matrix, to indices: [Int32], into dW: MutableMatrix, on device: Device
) {
  precondition(dW.rows == dy.columns && indices.count == dy.rows, "\(indices.count) rows of \(dy.rows)")
  let columns = DistinctColumns(indices, of: dW.columns)
  let places = columns.firstRows.map { Int(indices[$0]) }
  let add = device.kernels.axpy!
  device.pool.runChunks(of: dW.rows, size: 128) { range in
    withUnsafeTemporaryAllocation(of: Float.self, capacity: places.count * range.count) { memory in
      guard let sums = memory.baseAddress else { return }
      sums.initialize(repeating: 0, count: memory.count)
      for row in 0..<dy.rows {
        add(1, dy[row] + range.lowerBound, sums + columns.numbers[row] * range.count, range.count)
      }
      for (k, row) in range.enumerated() {
        let destination = dW[row]
        destination.update(repeating: 0, count: dW.columns)
        for number in places.indices { destination[places[number]] = sums[number * range.count + k] }
      }
    }
  }
}

/// Which rows read the same column.
private struct DistinctColumns {
  /// The number of each row's column [rows], from 0 in the order in which they are read first.
  private(set) var numbers: [Int] = []
  /// The first row that reads each.
  private(set) var firstRows: [Int] = []

  init(_ indices: [Int32], of count: Int) {
    var known = [Int](repeating: -1, count: count)
    numbers.reserveCapacity(indices.count)
    for (row, index) in indices.enumerated() {
      if known[Int(index)] < 0 {
        known[Int(index)] = firstRows.count
        firstRows.append(row)
      }
      numbers.append(known[Int(index)])
    }
  }
}
