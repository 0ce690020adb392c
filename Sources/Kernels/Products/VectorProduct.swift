internal import CKernels

/// y = W x for W [outputs, inputs] of half-precision numbers, row after row, and float x [inputs]: half the bytes of
/// floats, of which a product with one vector reads each but once. Sums are float.
public func halfProduct(
  outputs: Int, inputs: Int, _ weights: UnsafePointer<UInt16>, _ x: UnsafePointer<Float>,
  into y: UnsafeMutablePointer<Float>, on device: Device
) {
  let dot = device.kernels.half_dot_4!
  forFourRows(of: outputs, into: y, on: device) { row, stride, sums in
    dot(weights + row * inputs, stride * inputs, x, inputs, sums)
  }
}

/// y = W x for W [outputs, inputs] and x [inputs], at the speed of reading W.
public func vectorProduct(
  _ weights: Matrix, _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, on device: Device
) {
  let dot = device.kernels.float_dot_4!
  forFourRows(of: weights.rows, into: y, on: device) { row, stride, sums in
    dot(weights[row], stride * weights.stride, x, weights.columns, sums)
  }
}

/// Calls `dot` for four rows of W at a time: the first of them, the rows from one to the next, and where the four sums go.
private func forFourRows(
  of outputs: Int, into y: UnsafeMutablePointer<Float>, on device: Device,
  dot: (Int, Int, UnsafeMutablePointer<Float>) -> Void
) {
  device.pool.runChunks(of: outputs, size: 64) { range in
    let whole = range.lowerBound + range.count / 4 * 4
    for row in stride(from: range.lowerBound, to: whole, by: 4) { dot(row, 1, y + row) }
    withUnsafeTemporaryAllocation(of: Float.self, capacity: 4) { four in
      for row in whole..<range.upperBound {
        // The same row four times over.
        dot(row, 0, four.baseAddress!)
        y[row] = four[0]
      }
    }
  }
}
