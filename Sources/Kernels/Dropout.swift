internal import CKernels
public import Tensors

/// Which scalars dropout keeps (Srivastava et al. 2014, inverted: what is kept is multiplied by 1/(1 − rate)).
///
/// The mask is a hash of the seed and the scalar's position, so forward and backward agree without storing it, and
/// so do any number of threads.
public struct Dropout: Sendable, Equatable {
  /// The share that is dropped, in 0..<1.
  public let rate: Float
  /// Names the mask: another seed, another mask.
  public let seed: UInt64

  /// A mask that drops `rate` of the scalars.
  public init(rate: Float, seed: UInt64) {
    precondition(rate >= 0 && rate < 1, "dropout rate \(rate)")
    (self.rate, self.seed) = (rate, seed)
  }

  /// Keeps everything.
  public static let none = Dropout(rate: 0, seed: 0)

  /// What a kept scalar is multiplied by.
  public var scale: Float { 1 / (1 - rate) }

  var parameters: ck_dropout {
    ck_dropout(
      key0: UInt32(truncatingIfNeeded: seed), key1: UInt32(truncatingIfNeeded: seed >> 32),
      threshold: UInt32(Double(rate) * 0x1p32), scale: scale)
  }

  /// x = mask·x·scale over a matrix [rows, columns]; the backward pass is the same on δx.
  public func apply(_ x: inout Tensor, pool: ThreadPool = .shared) {
    let memory = x.mutablePointer()
    apply(
      rows: x.shape[0], columns: x.count / max(1, x.shape[0]), memory, into: memory, pool: pool)
  }

  /// y = mask·x·scale over [rows, columns]; the backward pass is the same function of δy. `y` may be `x`.
  public func apply(
    rows: Int, columns: Int, _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>,
    pool: ThreadPool = .shared, instructions: InstructionSet = .current
  ) {
    apply(firstRow: 0, rows: rows, columns: columns, x, into: y, pool: pool, instructions: instructions)
  }

  /// The same for some rows of a larger matrix: `x` and `y` point at row `firstRow`.
  public func apply(
    firstRow: Int, rows: Int, columns: Int, _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>,
    pool: ThreadPool = .shared, instructions: InstructionSet = .current
  ) {
    if rate == 0 && UnsafePointer(y) == x { return }
    let drop = instructions.table.pointer.pointee.dropout_row!
    let parameters = parameters
    pool.runRows(rows, columns: columns) { range in
      let from = range.lowerBound * columns
      drop(
        x + from, y + from, range.count * columns,
        UInt32(truncatingIfNeeded: (firstRow * columns) &+ from), parameters)
    }
  }
}

/// x += bias in each row of [rows, columns].
public func addBias(
  rows: Int, columns: Int, _ x: UnsafeMutablePointer<Float>, bias: UnsafePointer<Float>,
  pool: ThreadPool = .shared, instructions: InstructionSet = .current
) {
  let add = instructions.table.pointer.pointee.bias_row!
  pool.runRows(rows, columns: columns) { range in
    for row in range { add(x + row * columns, bias, columns) }
  }
}

/// x = dropout(max(0, x + bias)) in each row of [rows, columns].
public func addBiasRectifyDrop(
  rows: Int, columns: Int, _ x: UnsafeMutablePointer<Float>, bias: UnsafePointer<Float>, dropout: Dropout,
  pool: ThreadPool = .shared, instructions: InstructionSet = .current
) {
  let rectify = instructions.table.pointer.pointee.bias_relu_row!
  let parameters = dropout.parameters
  pool.runRows(rows, columns: columns) { range in
    for row in range {
      rectify(x + row * columns, bias, columns, UInt32(truncatingIfNeeded: row * columns), parameters)
    }
  }
}

/// The gradient through `addBiasRectifyDrop`: δx = y > 0 ? δy·scale : 0, in place of δy; y tells the mask.
public func rectifyDropBackward(
  count: Int, y: UnsafePointer<Float>, gradient: UnsafeMutablePointer<Float>, dropout: Dropout,
  pool: ThreadPool = .shared, instructions: InstructionSet = .current
) {
  let backward = instructions.table.pointer.pointee.relu_backward_row!
  let scale = dropout.scale
  pool.runPieces(of: count, size: 16_384) { range in
    backward(y + range.lowerBound, gradient + range.lowerBound, range.count, scale)
  }
}
