internal import CKernels
public import Tensors

/// Which scalars dropout keeps (Srivastava et al. 2014, inverted: what is kept is multiplied by 1/(1 − rate)).
///
/// The mask is a hash of the seed and the scalar's position, so forward and backward agree without storing it, and
/// so do any number of threads; and, where the rows are told, any number of processes that have some each.
public struct Dropout: Sendable, Equatable {
  /// The share that is dropped, in 0..<1.
  public let rate: Float
  /// Names the mask: another seed, another mask.
  public let seed: UInt64
  /// Which rows of a whole matrix, whose mask it is, the rows are that it is applied to; nil: they are the whole.
  public let rows: [Int32]?

  /// A mask that drops `rate` of the scalars.
  public init(rate: Float, seed: UInt64, rows: [Int32]? = nil) {
    precondition(rate >= 0 && rate < 1, "dropout rate \(rate)")
    self.rate = rate
    self.seed = seed
    self.rows = rows
  }

  /// Keeps everything.
  public static let none = Dropout(rate: 0, seed: 0)

  /// What a kept scalar is multiplied by.
  public var scale: Float { 1 / (1 - rate) }

  /// The mask of rows that are in turn `count` rows each.
  public func ofRows(each count: Int) -> Dropout {
    guard let rows else { return self }
    let all = rows.flatMap { row in (0..<Int32(count)).map { row * Int32(count) + $0 } }
    return Dropout(rate: rate, seed: seed, rows: all)
  }

  /// The position of the first scalar of a row.
  func position(ofRow row: Int, columns: Int) -> UInt32 {
    let row = rows.map { Int($0[row]) } ?? row
    return UInt32(truncatingIfNeeded: row &* columns)
  }

  var parameters: ck_dropout {
    ck_dropout(
      key0: UInt32(truncatingIfNeeded: seed), key1: UInt32(truncatingIfNeeded: seed >> 32),
      threshold: UInt32(Double(rate) * 0x1p32), scale: scale)
  }

  /// x = mask·x·scale over a matrix [rows, columns]; the backward pass is the same on δx.
  public func apply(_ x: inout Tensor, on device: Device) {
    let memory = x.mutableMatrix()
    apply(Matrix(memory), into: memory, on: device)
  }

  /// y = mask·x·scale over [rows, columns]; the backward pass is the same function of δy. `y` may be `x`.
  /// - Parameter firstRow: what row 0 is in a larger matrix of which these are some rows.
  public func apply(_ x: Matrix, into y: MutableMatrix, firstRow: Int = 0, on device: Device) {
    precondition(x.rows == y.rows && x.columns == y.columns)
    if rate == 0 && UnsafePointer(y.base) == x.base { return }
    let drop = device.kernels.dropout_row!
    let parameters = parameters
    device.pool.runRows(x.rows, columns: x.columns) { range in
      for row in range {
        drop(
          x[row], y[row], x.columns, position(ofRow: firstRow &+ row, columns: x.columns), parameters)
      }
    }
  }
}
