public import Tensors

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

  /// Some of the columns; the memory is shared.
  public func columns(_ range: Range<Int>) -> Matrix {
    Matrix(base + range.lowerBound, rows: rows, columns: range.count, stride: stride)
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

  /// Some of the columns; the memory is shared.
  public func columns(_ range: Range<Int>) -> MutableMatrix {
    MutableMatrix(base + range.lowerBound, rows: rows, columns: range.count, stride: stride)
  }
}

extension Tensor {
  /// A tensor [rows, columns] as a matrix, valid as `pointer` is; one of another rank has its first extent for rows.
  public var matrix: Matrix { Matrix(pointer, rows: shape[0], columns: rowLength) }

  /// The same to be written, valid as `mutablePointer` is.
  public mutating func mutableMatrix() -> MutableMatrix {
    MutableMatrix(mutablePointer(), rows: shape[0], columns: rowLength)
  }

  /// Scalars in a row.
  private var rowLength: Int { shape.dimensions.dropFirst().reduce(1, *) }
}
