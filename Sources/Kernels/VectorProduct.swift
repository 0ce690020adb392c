internal import CKernels

/// y = W x for W [outputs, inputs] of half-precision numbers and float x [inputs]: half the bytes of floats, of which
/// a product with one vector reads each but once. Sums are float.
public func halfProduct(
  outputs: Int, inputs: Int, _ weights: UnsafePointer<UInt16>, _ x: UnsafePointer<Float>,
  into y: UnsafeMutablePointer<Float>, pool: ThreadPool = .shared, instructions: InstructionSet = .current
) {
  let dot = instructions.table.pointer.pointee.half_dot_4!
  rowProducts(outputs: outputs, inputs: inputs, weights, x, into: y, pool: pool) { dot($0, $1, $2, $3, $4) }
}

/// y = W x for W [outputs, inputs] and x [inputs], at the speed of reading W.
public func vectorProduct(
  outputs: Int, inputs: Int, _ weights: UnsafePointer<Float>, _ x: UnsafePointer<Float>,
  into y: UnsafeMutablePointer<Float>, pool: ThreadPool = .shared, instructions: InstructionSet = .current
) {
  let dot = instructions.table.pointer.pointee.float_dot_4!
  rowProducts(outputs: outputs, inputs: inputs, weights, x, into: y, pool: pool) { dot($0, $1, $2, $3, $4) }
}

/// Four rows of W at a time.
private func rowProducts<Scalar>(
  outputs: Int, inputs: Int, _ weights: UnsafePointer<Scalar>, _ x: UnsafePointer<Float>,
  into y: UnsafeMutablePointer<Float>, pool: ThreadPool,
  dot: (UnsafePointer<Scalar>, Int, UnsafePointer<Float>, Int, UnsafeMutablePointer<Float>) -> Void
) {
  pool.runPieces(of: outputs, size: 64) { range in
    let whole = range.lowerBound + range.count / 4 * 4
    for row in stride(from: range.lowerBound, to: whole, by: 4) {
      dot(weights + row * inputs, inputs, x, inputs, y + row)
    }
    withUnsafeTemporaryAllocation(of: Float.self, capacity: 4) { four in
      for row in whole..<range.upperBound {
        // The same row four times over.
        dot(weights + row * inputs, 0, x, inputs, four.baseAddress!)
        y[row] = four[0]
      }
    }
  }
}
