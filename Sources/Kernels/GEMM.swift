internal import COneDNN
internal import Glibc

/// C[m,n] = alpha · op(A)[m,k] · op(B)[k,n] + beta · C, all row-major with the given row strides.
///
/// Large products are cut into pieces by shape alone and shared by the pool, so the result is the same, bit for
/// bit, for any number of threads. With `beta` 0, C is not read.
public func gemm(
  m: Int, n: Int, k: Int, alpha: Float = 1,
  _ a: UnsafePointer<Float>, lda: Int, transposeA: Bool = false,
  _ b: UnsafePointer<Float>, ldb: Int, transposeB: Bool = false,
  beta: Float = 0, _ c: UnsafeMutablePointer<Float>, ldc: Int, pool: ThreadPool = .shared
) {
  gemm(
    m: m, n: n, k: k, alpha: alpha, a, lda: lda, transposeA: transposeA, b, ldb: ldb, transposeB: transposeB,
    beta: beta, c, ldc: ldc, device: Device(pool: pool, arithmetic: Arithmetic.current))
}

/// What `multiply` does, in the terms of BLAS.
func gemm(
  m: Int, n: Int, k: Int, alpha: Float = 1,
  _ a: UnsafePointer<Float>, lda: Int, transposeA: Bool = false,
  _ b: UnsafePointer<Float>, ldb: Int, transposeB: Bool = false,
  beta: Float = 0, _ c: UnsafeMutablePointer<Float>, ldc: Int, device: Device
) {
  let pool = device.pool
  guard m > 0, n > 0 else { return }
  if alpha == 1, min(m, n, k) >= 64, m * n * k >= 8_000_000, device.arithmetic == .bfloat16 {
    bfloatGEMM(
      m: m, n: n, k: k, a, lda: lda, transposeA: transposeA, b, ldb: ldb, transposeB: transposeB, beta: beta,
      c,
      ldc: ldc, pool: pool)
    return
  }
  // A piece is worth about 4 million multiplications: far above the cost of handing it out. The side with more
  // to share is cut, in multiples of 16 or 8, which the vector kernels like.
  let pieces = min(16, max(1, m * n * k / 4_000_000))
  if pieces == 1 {
    pool.runHere {
      sgemm(m, n, k, alpha, a, lda, transposeA, b, ldb, transposeB, beta, c, ldc)
    }
    return
  }
  if n >= m {
    let width = ((n + pieces - 1) / pieces + 15) / 16 * 16
    pool.run((n + width - 1) / width) { piece in
      let from = piece * width
      sgemm(
        m, min(width, n - from), k, alpha, a, lda, transposeA, b + from * (transposeB ? ldb : 1), ldb,
        transposeB,
        beta, c + from, ldc)
    }
  } else {
    let height = ((m + pieces - 1) / pieces + 7) / 8 * 8
    pool.run((m + height - 1) / height) { piece in
      let from = piece * height
      sgemm(
        min(height, m - from), n, k, alpha, a + from * (transposeA ? 1 : lda), lda, transposeA, b, ldb,
        transposeB,
        beta, c + from * ldc, ldc)
    }
  }
}

/// One product on the calling thread.
func sgemm(
  _ m: Int, _ n: Int, _ k: Int, _ alpha: Float, _ a: UnsafePointer<Float>, _ lda: Int, _ transposeA: Bool,
  _ b: UnsafePointer<Float>, _ ldb: Int, _ transposeB: Bool, _ beta: Float, _ c: UnsafeMutablePointer<Float>,
  _ ldc: Int
) {
  let letter: (Bool) -> CChar = { CChar(bitPattern: UInt8(ascii: $0 ? "T" : "N")) }
  let status = dnnl_sgemm(
    letter(transposeA), letter(transposeB), dnnl_dim_t(m), dnnl_dim_t(n), dnnl_dim_t(k), alpha, a,
    dnnl_dim_t(lda),
    b, dnnl_dim_t(ldb), beta, c, dnnl_dim_t(ldc))
  precondition(status == dnnl_success, "dnnl_sgemm refused \(m)x\(n)x\(k), strides \(lda), \(ldb), \(ldc)")
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

  /// The first product of a process makes oneDNN generate its code: 20 to 40 ms.
  static func warmUp() {
    prepareThisThread()
    var (x, y): (Float, Float) = (1, 0)
    sgemm(1, 1, 1, 1, &x, 1, false, &x, 1, false, 0, &y, 1)
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

extension ThreadPool {
  /// Runs `body` on this thread with the same settings as a piece.
  func runHere(_ body: () -> Void) {
    SingleThreadedGEMM.prepareThisThread()
    body()
  }
}
