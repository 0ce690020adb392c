internal import COneDNN
internal import Glibc
internal import Support

/// A factor of a matrix product: a matrix as it lies in memory, or its transpose.
public enum Factor {
  /// M.
  case plain(Matrix)
  /// Mᵀ.
  case transposed(Matrix)

  /// How it lies in memory.
  var stored: Matrix {
    switch self {
    case .plain(let matrix), .transposed(let matrix): matrix
    }
  }

  /// Whether that is turned.
  var isTransposed: Bool {
    if case .transposed = self { true } else { false }
  }

  /// The rows of the factor itself.
  var rowCount: Int { isTransposed ? stored.columns : stored.rows }
  /// The columns of the factor itself.
  var columnCount: Int { isTransposed ? stored.rows : stored.columns }

  /// Some of its rows.
  func rows(_ range: Range<Int>) -> Factor {
    switch self {
    case .plain(let matrix): .plain(matrix.rows(range))
    case .transposed(let matrix): .transposed(matrix.columns(range))
    }
  }

  /// Some of its columns.
  func columns(_ range: Range<Int>) -> Factor {
    switch self {
    case .plain(let matrix): .plain(matrix.columns(range))
    case .transposed(let matrix): .transposed(matrix.rows(range))
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
  let (m, n, k) = (c.rows, c.columns, a.columnCount)
  precondition(
    a.rowCount == m && b.rowCount == k && b.columnCount == n,
    "\(a.rowCount)×\(k) times \(b.rowCount)×\(b.columnCount) into \(m)×\(n)")
  guard m > 0, n > 0 else { return }
  // No terms: oneDNN would leave C as it is.
  guard k > 0 else {
    for row in 0..<m {
      for column in 0..<n { c[row][column] = beta == 0 ? 0 : beta * c[row][column] }
    }
    return
  }
  if alpha == 1, min(m, n, k) >= 64, m * n * k >= 8_000_000, device.arithmetic == .bfloat16 {
    return multiplyBFloats(a, b, into: c, beta: beta, on: device)
  }
  // A piece is worth about 4 million multiplications: far above the cost of handing it out. The side with more
  // to share is cut, in multiples of 16 or 8, which the vector kernels like.
  let pieces = min(16, max(1, m * n * k / 4_000_000))
  if pieces == 1 {
    return device.pool.runHere { multiplyHere(a, b, into: c, alpha: alpha, beta: beta) }
  }
  if n >= m {
    let width = ((n + pieces - 1) / pieces + 15) / 16 * 16
    device.pool.run((n + width - 1) / width) { piece in
      let range = piece * width..<min(n, (piece + 1) * width)
      multiplyHere(a, b.columns(range), into: c.columns(range), alpha: alpha, beta: beta)
    }
  } else {
    let height = ((m + pieces - 1) / pieces + 7) / 8 * 8
    device.pool.run((m + height - 1) / height) { piece in
      let range = piece * height..<min(m, (piece + 1) * height)
      multiplyHere(a.rows(range), b, into: c.rows(range), alpha: alpha, beta: beta)
    }
  }
}

/// `multiply` on the calling thread, in single precision.
func multiplyHere(_ a: Factor, _ b: Factor, into c: MutableMatrix, alpha: Float = 1, beta: Float = 0) {
  func letter(_ factor: Factor) -> CChar {
    CChar(bitPattern: UInt8(ascii: factor.isTransposed ? "T" : "N"))
  }
  let (left, right) = (a.stored, b.stored)
  let status = dnnl_sgemm(
    letter(a), letter(b), dnnl_dim_t(c.rows), dnnl_dim_t(c.columns), dnnl_dim_t(a.columnCount), alpha,
    left.base, dnnl_dim_t(left.stride), right.base, dnnl_dim_t(right.stride), beta, c.base,
    dnnl_dim_t(c.stride))
  precondition(
    status == dnnl_success,
    "dnnl_sgemm refused \(c.rows)x\(c.columns)x\(a.columnCount), "
      + "strides \(left.stride), \(right.stride), \(c.stride)")
}

/// Has the first product of the process, which takes oneDNN 30 ms, done on a thread of its own, beside what comes before
/// the others. For a program that ends by `_exit`: `exit` would take oneDNN apart under that thread.
public func warmUpProducts() {
  _ = startThread { SingleThreadedGEMM.warmUp() }
}

/// Keeps oneDNN from starting threads of its own: libgomp's spin after each call and steal the next phase's time.
enum SingleThreadedGEMM {
  private typealias SetThreads = @convention(c) (Int32) -> Void

  /// libgomp's setting is per thread; looked up by name because only oneDNN links libgomp.
  private static let setThreads: SetThreads? = {
    _ = InstructionSet.current
    guard let symbol = dlsym(nil, "omp_set_num_threads") else { return nil }
    return unsafeBitCast(symbol, to: SetThreads.self)
  }()

  private static let done = ThreadFlag()

  /// The first product of a process makes oneDNN generate its code, 30 ms of it; that by one row, 2 ms more.
  static func warmUp() {
    prepareThisThread()
    let side = 16
    withUnsafeTemporaryAllocation(of: Float.self, capacity: 2 * side * side) { memory in
      memory.initialize(repeating: 0)
      let factor = MutableMatrix(memory.baseAddress!, rows: side, columns: side)
      let product = MutableMatrix(memory.baseAddress! + side * side, rows: side, columns: side)
      for rows in [0..<side, 0..<1] {
        multiplyHere(.plain(Matrix(factor).rows(rows)), .plain(Matrix(factor)), into: product.rows(rows))
      }
    }
  }

  static func prepareThisThread() {
    if done.isSet { return }
    setThreads?(1)
    done.set()
  }
}

/// A flag that each thread has for itself.
private final class ThreadFlag: Sendable {
  private let key: pthread_key_t

  init() {
    var key = pthread_key_t()
    let status = pthread_key_create(&key, nil)
    precondition(status == 0, "no thread-specific key left")
    self.key = key
  }

  var isSet: Bool { pthread_getspecific(key) != nil }
  func set() { pthread_setspecific(key, UnsafeRawPointer(bitPattern: 1)) }
}
