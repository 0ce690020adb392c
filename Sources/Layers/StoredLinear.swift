public import Kernels
public import Tensors

/// y = x Wᵀ for inference, W [K, C] lying in a file as it is stored there: half-precision weights stay half, so that
/// a product with one row reads half the bytes and no copy is made.
public struct StoredLinear: Sendable {
  /// C and K.
  public let inputs, outputs: Int

  private enum Weights: Sendable {
    case floats(Tensor)
    case stored(StoredTensor)
  }
  private let weights: Weights

  /// Weights [K, C] of a file.
  public init(_ stored: StoredTensor) {
    precondition(stored.shape.rank == 2, "\(stored.shape)")
    (outputs, inputs) = (stored.shape[0], stored.shape[1])
    weights = stored.type == .float32 ? .floats(stored.read()) : .stored(stored)
  }

  /// Whether every weight is a number.
  public var isFinite: Bool {
    var finite = true
    switch weights {
    case .floats(let tensor): finite = sumOfSquares(tensor.pointer, count: tensor.count).isFinite
    case .stored(let stored):
      withUnsafeTemporaryAllocation(of: Float.self, capacity: Self.chunk) { memory in
        for start in stride(from: 0, to: inputs * outputs, by: Self.chunk) {
          let range = start..<min(inputs * outputs, start + Self.chunk)
          stored.read(range, into: memory.baseAddress!)
          if !sumOfSquares(memory.baseAddress!, count: range.count).isFinite { finite = false }
        }
      }
    }
    return finite
  }

  /// Weights converted at a time: they stay in the second-level cache. And rows of W that they come from.
  private static let (chunk, block) = (1 << 17, 64)

  /// x [rows, C] → y [rows, K]. A row's result may differ in its last bits with `rows`.
  public func callAsFunction(
    rows: Int, _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, pool: ThreadPool = .shared
  ) {
    switch weights {
    case .floats(let tensor):
      if rows == 1 {
        return vectorProduct(outputs: outputs, inputs: inputs, tensor.pointer, x, into: y, pool: pool)
      }
      gemm(
        m: rows, n: outputs, k: inputs, x, lda: inputs, tensor.pointer, ldb: inputs, transposeB: true, y,
        ldc: outputs, pool: pool)
    case .stored(let stored):
      if rows == 1,
        stored.withHalves({ halfProduct(outputs: outputs, inputs: inputs, $0, x, into: y, pool: pool) })
          != nil
      {
        return
      }
      pool.run((outputs + Self.block - 1) / Self.block) { piece in
        let range = piece * Self.block..<min(outputs, (piece + 1) * Self.block)
        multiply(range, of: stored, rows: rows, x, into: y)
      }
    }
  }

  /// Columns `range` of y, a few columns of W at a time.
  private func multiply(
    _ range: Range<Int>, of stored: StoredTensor, rows: Int, _ x: UnsafePointer<Float>,
    into y: UnsafeMutablePointer<Float>
  ) {
    let width = min(inputs, Self.chunk / Self.block)
    withUnsafeTemporaryAllocation(of: Float.self, capacity: range.count * width) { memory in
      for column in stride(from: 0, to: inputs, by: width) {
        let count = min(width, inputs - column)
        for (place, row) in range.enumerated() {
          let start = row * inputs + column
          stored.read(start..<start + count, into: memory.baseAddress! + place * width)
        }
        gemm(
          m: rows, n: range.count, k: count, x + column, lda: inputs, memory.baseAddress!, ldb: width,
          transposeB: true, beta: column == 0 ? 0 : 1, y + range.lowerBound, ldc: outputs)
      }
    }
  }
}
