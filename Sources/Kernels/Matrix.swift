/// A matrix of floats in memory that somebody else owns: rows of `columns` floats, `stride` floats apart. Its shape
/// travels with the pointer.
public struct Matrix {
  /// The first float of row 0.
  public let base: UnsafePointer<Float>
  /// The number of rows.
  public let rows: Int
  /// Floats in a row.
  public let columns: Int
  /// Floats from the beginning of one row to that of the next, at least `columns`.
  public let stride: Int

  /// `rows` × `columns` floats at `base`, which must outlive the matrix; without `stride` row follows row.
  public init(_ base: UnsafePointer<Float>, rows: Int, columns: Int, stride: Int? = nil) {
    self.base = base
    self.rows = rows
    self.columns = columns
    self.stride = stride ?? columns
  }

  /// The matrix that `matrix` is, to be read.
  public init(_ matrix: MutableMatrix) {
    self.init(UnsafePointer(matrix.base), rows: matrix.rows, columns: matrix.columns, stride: matrix.stride)
  }

  /// The first float of row `row`.
  public subscript(row: Int) -> UnsafePointer<Float> { base + row * stride }

  /// Some of the rows; the memory is shared.
  public func rows(_ range: Range<Int>) -> Matrix {
    Matrix(self[range.lowerBound], rows: range.count, columns: columns, stride: stride)
  }
}

/// A `Matrix` that may be written.
public struct MutableMatrix {
  /// The first float of row 0.
  public let base: UnsafeMutablePointer<Float>
  /// The number of rows.
  public let rows: Int
  /// Floats in a row.
  public let columns: Int
  /// Floats from the beginning of one row to that of the next, at least `columns`.
  public let stride: Int

  /// `rows` × `columns` floats at `base`, which must outlive the matrix; without `stride` row follows row.
  public init(_ base: UnsafeMutablePointer<Float>, rows: Int, columns: Int, stride: Int? = nil) {
    self.base = base
    self.rows = rows
    self.columns = columns
    self.stride = stride ?? columns
  }

  /// The first float of row `row`.
  public subscript(row: Int) -> UnsafeMutablePointer<Float> { base + row * stride }

  /// Some of the rows; the memory is shared.
  public func rows(_ range: Range<Int>) -> MutableMatrix {
    MutableMatrix(self[range.lowerBound], rows: range.count, columns: columns, stride: stride)
  }
}

/// A factor of a matrix product: a matrix as it lies in memory, or its transpose.
public enum Factor {
  /// M.
  case plain(Matrix)
  /// Mᵀ.
  case transposed(Matrix)

  /// The rows and columns of the factor itself.
  var shape: (rows: Int, columns: Int) {
    switch self {
    case .plain(let matrix): (matrix.rows, matrix.columns)
    case .transposed(let matrix): (matrix.columns, matrix.rows)
    }
  }

  /// How it lies in memory.
  var stored: (matrix: Matrix, isTransposed: Bool) {
    switch self {
    case .plain(let matrix): (matrix, false)
    case .transposed(let matrix): (matrix, true)
    }
  }
}

/// C = alpha · A·B + beta · C. With `beta` 0, C is not read.
///
/// Large products are cut into pieces by shape alone and shared by the threads, so the result is the same, bit for
/// bit, for any number of threads. Products of 8 million terms and more multiply what `device.arithmetic` says.
/// - Parameters:
///   - a: [m, k].
///   - b: [k, n].
///   - c: [m, n].
public func multiply(
  _ a: Factor, _ b: Factor, into c: MutableMatrix, alpha: Float = 1, beta: Float = 0, on device: Device
) {
  precondition(
    a.shape.columns == b.shape.rows && c.rows == a.shape.rows && c.columns == b.shape.columns,
    "\(a.shape) times \(b.shape) into \(c.rows)×\(c.columns)")
  let (left, right) = (a.stored, b.stored)
  gemm(
    m: c.rows, n: c.columns, k: a.shape.columns, alpha: alpha, left.matrix.base, lda: left.matrix.stride,
    transposeA: left.isTransposed, right.matrix.base, ldb: right.matrix.stride,
    transposeB: right.isTransposed, beta: beta, c.base, ldc: c.stride, device: device)
}
