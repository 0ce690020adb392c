public import Kernels
public import Tensors

/// y = x Wᵀ for inference, W [K, C] lying in a file as it is stored there: half-precision weights stay half, so that
/// a product with one row reads half the bytes and no copy is made.
public struct StoredLinear: Sendable {
  /// C.
  public let inputs: Int
  /// K.
  public let outputs: Int

  private enum Weights: Sendable {
    case floats(Tensor)
    case stored(StoredTensor)
  }
  private let weights: Weights

  /// Weights [K, C] of a file.
  public init(_ stored: StoredTensor) {
    precondition(stored.shape.rank == 2, "\(stored.shape)")
    outputs = stored.shape[0]
    inputs = stored.shape[1]
    weights = stored.type == .float32 ? .floats(stored.read()) : .stored(stored)
  }

  /// Whether every weight is a number.
  public func isFinite(on device: Device) -> Bool {
    var finite = true
    switch weights {
    case .floats(let tensor):
      finite = sumOfSquares(tensor.pointer, count: tensor.count, on: device).isFinite
    case .stored(let stored):
      withUnsafeTemporaryAllocation(of: Float.self, capacity: Self.chunk) { memory in
        for start in stride(from: 0, to: inputs * outputs, by: Self.chunk) {
          let range = start..<min(inputs * outputs, start + Self.chunk)
          stored.read(range, into: memory.baseAddress!)
          if !sumOfSquares(memory.baseAddress!, count: range.count, on: device).isFinite { finite = false }
        }
      }
    }
    return finite
  }

  /// Weights converted at a time: they stay in the second-level cache.
  private static let chunk = 1 << 17
  /// Rows of W that they come from.
  private static let block = 64

  /// x [rows, C] → y [rows, K]. A row's result may differ in its last bits with the number of rows.
  public func callAsFunction(_ x: Matrix, into y: MutableMatrix, on device: Device) {
    switch weights {
    case .floats(let tensor):
      if x.rows == 1 { return vectorProduct(tensor.matrix, x.base, into: y.base, on: device) }
      multiply(.plain(x), .transposed(tensor.matrix), into: y, on: device)
    case .stored(let stored):
      if x.rows == 1,
        stored.withHalves({
          halfProduct(outputs: outputs, inputs: inputs, $0, x.base, into: y.base, on: device)
        }) != nil
      {
        return
      }
      device.pool.run((outputs + Self.block - 1) / Self.block) { piece in
        let range = piece * Self.block..<min(outputs, (piece + 1) * Self.block)
        multiplyRows(range, of: stored, x, into: y.columns(range), on: device)
      }
    }
  }

  /// Columns of y from rows `range` of W, a few columns of W at a time.
  private func multiplyRows(
    _ range: Range<Int>, of stored: StoredTensor, _ x: Matrix, into y: MutableMatrix, on device: Device
  ) {
    let width = min(inputs, Self.chunk / Self.block)
    withUnsafeTemporaryAllocation(of: Float.self, capacity: range.count * width) { memory in
      for column in stride(from: 0, to: inputs, by: width) {
        let columns = column..<min(inputs, column + width)
        for (place, row) in range.enumerated() {
          let start = row * inputs
          stored.read(
            start + columns.lowerBound..<start + columns.upperBound, into: memory.baseAddress! + place * width
          )
        }
        let part = Matrix(memory.baseAddress!, rows: range.count, columns: columns.count, stride: width)
        multiply(
          .plain(x.columns(columns)), .transposed(part), into: y, beta: column == 0 ? 0 : 1, on: device)
      }
    }
  }
}
