internal import CKernels

/// Rows whose sums are taken in single precision; those of all are added in double, in order.
private let rowsOfASum = 256

/// The mean of each column of x [rows, columns], and the mean square of what is off it; rows lie side by side.
public func columnMoments(_ x: Matrix, on device: Device) -> (means: [Double], variances: [Double]) {
  precondition(x.stride == x.columns && x.rows > 0, "\(x.rows)×\(x.columns)")
  let (sum, squares) = (device.kernels.column_sums!, device.kernels.column_squares!)
  let means = sums(x, on: device) { sum($0, $1, x.columns, x.columns, $2) }.map { $0 / Double(x.rows) }
  let centre = means.map { Float($0) }
  let variances = sums(x, on: device) { squares($0, centre, $1, x.columns, $2) }
  return (means, variances.map { $0 / Double(x.rows) })
}

/// Of each column Σ δy and Σ δy·(x − mean), both [rows, columns] with rows side by side.
public func columnCovariances(
  _ x: Matrix, around mean: [Float], _ dy: Matrix, on device: Device
) -> (sums: [Double], products: [Double]) {
  precondition(x.stride == x.columns && dy.stride == dy.columns)
  precondition(x.rows == dy.rows && x.columns == dy.columns && mean.count == x.columns)
  let (sum, products) = (device.kernels.column_sums!, device.kernels.column_covariances!)
  return (
    sums(dy, on: device) { sum($0, $1, x.columns, x.columns, $2) },
    sums(x, on: device) { rows, count, sums in
      products(rows, mean, dy.base + (rows - x.base), count, x.columns, sums)
    }
  )
}

/// What `add` makes of blocks of rows, added.
private func sums(
  _ x: Matrix, on device: Device,
  add: (_ rows: UnsafePointer<Float>, _ count: Int, _ sums: UnsafeMutablePointer<Float>) -> Void
) -> [Double] {
  let blocks = (x.rows + rowsOfASum - 1) / rowsOfASum
  var partial = [Float](repeating: 0, count: blocks * x.columns)
  partial.withUnsafeMutableBufferPointer { partial in
    device.pool.runChunks(of: x.rows, size: rowsOfASum) { range in
      add(x[range.lowerBound], range.count, partial.baseAddress! + range.lowerBound / rowsOfASum * x.columns)
    }
  }
  var total = [Double](repeating: 0, count: x.columns)
  for place in partial.indices { total[place % x.columns] += Double(partial[place]) }
  return total
}

/// y = max(0, scale·x + shift), both numbers of each column; x and y [rows, columns].
public func scaleShiftReLU(
  _ x: Matrix, scale: [Float], shift: [Float], into y: MutableMatrix, on device: Device
) {
  precondition(x.rows == y.rows && x.columns == y.columns)
  precondition(scale.count == x.columns && shift.count == x.columns)
  let apply = device.kernels.scale_shift_relu_row!
  device.pool.runRows(x.rows, columns: x.columns) { range in
    for row in range { apply(x[row], scale, shift, y[row], x.columns) }
  }
}

/// What a gradient becomes on its way through a normalisation, of each column.
public struct NormalizationGradient: Sendable {
  /// What the gradient is multiplied by, what x − mean is, and what is added.
  public let gradient, deviation, constant: [Float]

  /// Three numbers of each column.
  public init(gradient: [Float], deviation: [Float], constant: [Float]) {
    self.gradient = gradient
    self.deviation = deviation
    self.constant = constant
  }

  /// δx, in place of δy [rows, columns].
  public func apply(_ x: Matrix, around mean: [Float], to dy: MutableMatrix, on device: Device) {
    precondition(x.rows == dy.rows && x.columns == dy.columns && mean.count == x.columns)
    let backward = device.kernels.normalization_backward_row!
    device.pool.runRows(x.rows, columns: x.columns) { range in
      for row in range { backward(x[row], mean, gradient, deviation, constant, dy[row], x.columns) }
    }
  }
}
