internal import Foundation

/// y = (x − mean) / √(variance + ε) of each row of [rows, columns] by itself; `y` may be `x`.
public func standardizeRows(_ x: Matrix, epsilon: Double, into y: MutableMatrix, on device: Device) {
  precondition(x.rows == y.rows && x.columns == y.columns)
  device.pool.runRows(x.rows, columns: 4 * x.columns) { range in
    for row in range {
      let moments = RowMoments(x[row], x.columns, epsilon)
      for column in 0..<x.columns {
        y[row][column] = Float((Double(x[row][column]) - moments.mean) * moments.scale)
      }
    }
  }
}

/// The gradient through `standardizeRows`: δx of δy, x as it was before.
public func standardizeRowsBackward(
  _ x: Matrix, gradient: Matrix, epsilon: Double, into dx: MutableMatrix, on device: Device
) {
  precondition(x.rows == dx.rows && x.columns == dx.columns)
  precondition(gradient.rows == dx.rows && gradient.columns == dx.columns)
  device.pool.runRows(x.rows, columns: 8 * x.columns) { range in
    for row in range {
      let moments = RowMoments(x[row], x.columns, epsilon)
      let (values, dy) = (x[row], gradient[row])
      var (sum, along) = (0.0, 0.0)
      for column in 0..<x.columns {
        sum += Double(dy[column])
        along += Double(dy[column]) * (Double(values[column]) - moments.mean) * moments.scale
      }
      let (mean, slope) = (sum / Double(x.columns), along / Double(x.columns))
      for column in 0..<x.columns {
        let standard = (Double(values[column]) - moments.mean) * moments.scale
        dx[row][column] = Float((Double(dy[column]) - mean - standard * slope) * moments.scale)
      }
    }
  }
}

/// What a row is standardised by.
private struct RowMoments {
  let mean: Double
  /// 1 / √(variance + ε).
  let scale: Double

  init(_ row: UnsafePointer<Float>, _ count: Int, _ epsilon: Double) {
    var sum = 0.0
    for column in 0..<count { sum += Double(row[column]) }
    let mean = sum / Double(max(1, count))
    var squares = 0.0
    for column in 0..<count {
      let difference = Double(row[column]) - mean
      squares += difference * difference
    }
    self.mean = mean
    scale = 1 / (squares / Double(max(1, count)) + epsilon).squareRoot()
  }
}
