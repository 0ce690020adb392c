internal import CKernels
internal import COneDNN
internal import Synchronization

/// The numbers that large matrix products multiply.
public enum Arithmetic: String, Sendable, Codable, CaseIterable {
  /// Single precision throughout.
  case float32
  /// Factors rounded to bfloat16, sums in single precision: about twice as fast where the CPU has instructions for it.
  case bfloat16

  /// Whether this CPU, as far as `CAPTIONER_ISA` lets it, multiplies bfloat16.
  public var isAvailable: Bool { self == .float32 || Self.hasBFloat }

  /// What to tell people who want it where it is not available; nil where it is.
  public var problem: String? {
    isAvailable ? nil : "expected float32, this CPU can't multiply bfloat16, found \(rawValue)"
  }

  private static let hasBFloat: Bool = {
    guard InstructionSet.current.description == "avx512", ck_has_avx512_bf16() != 0 else { return false }
    var result: Float = 0
    return bfloatMatmul(1, 1, 1, [0], (1, 1), [0], (1, 1), 0, &result, 1) == dnnl_success
  }()

  private static let isBFloat = Atomic<Bool>(false)

  /// What all products of this process from now on use that are large enough; float32 unless it was set.
  public static var current: Arithmetic {
    get { isBFloat.load(ordering: .relaxed) ? .bfloat16 : .float32 }
    set { isBFloat.store(newValue == .bfloat16 && newValue.isAvailable, ordering: .relaxed) }
  }
}

/// C = op(A)·op(B) + beta·C as `gemm`, its factors rounded to bfloat16: those of whole blocks of 16 rows and of 64 terms,
/// so that few shapes of kernel are ever generated; what is left over is multiplied in single precision.
func bfloatGEMM(
  m: Int, n: Int, k: Int, _ a: UnsafePointer<Float>, lda: Int, transposeA: Bool, _ b: UnsafePointer<Float>,
  ldb: Int, transposeB: Bool, beta: Float, _ c: UnsafeMutablePointer<Float>, ldc: Int, pool: ThreadPool
) {
  let (rows, terms) = (m / rowBlock * rowBlock, k / termBlock * termBlock)
  let (widthA, widthB) = (transposeA ? rows : terms, transposeB ? terms : n)
  let scratch = BFloatScratch.take(rows * terms + terms * n)
  defer { scratch.give() }
  let (halvesA, halvesB) = (scratch.memory, scratch.memory + rows * terms)
  let round = kernels.float_to_bfloat!
  pool.runRows(transposeA ? terms : rows, columns: widthA) { range in
    for row in range { round(a + row * lda, halvesA + row * widthA, widthA) }
  }
  pool.runRows(transposeB ? n : terms, columns: widthB) { range in
    for row in range { round(b + row * ldb, halvesB + row * widthB, widthB) }
  }

  let acrossColumns = n >= rows
  let length = acrossColumns ? n : rows
  let pieces = min(16, max(1, m * n * k / 8_000_000))
  let size = ((length + pieces - 1) / pieces + termBlock - 1) / termBlock * termBlock
  let count = (length + size - 1) / size
  // The last piece is the rows that make no whole block.
  pool.run(count + (rows < m ? 1 : 0)) { piece in
    if piece == count {
      sgemm(
        m - rows, n, k, 1, a + rows * (transposeA ? 1 : lda), lda, transposeA, b, ldb, transposeB, beta,
        c + rows * ldc, ldc)
      return
    }
    let range = piece * size..<min(length, (piece + 1) * size)
    let (top, left) = acrossColumns ? (0, range.lowerBound) : (range.lowerBound, 0)
    let (height, width) = acrossColumns ? (rows, range.count) : (range.count, n)
    let status = bfloatMatmul(
      height, width, terms, halvesA + top * (transposeA ? 1 : widthA), transposeA ? (1, widthA) : (widthA, 1),
      halvesB + left * (transposeB ? widthB : 1), transposeB ? (1, widthB) : (widthB, 1), beta,
      c + top * ldc + left, ldc)
    precondition(status == dnnl_success, "oneDNN refused \(height)x\(width)x\(terms)")
    if terms < k {
      sgemm(
        height, width, k - terms, 1, a + (transposeA ? terms * lda + top : top * lda + terms), lda,
        transposeA,
        b + (transposeB ? left * ldb + terms : terms * ldb + left), ldb, transposeB, 1, c + top * ldc + left,
        ldc)
    }
  }
}

/// Rows and terms of a whole block.
private let (rowBlock, termBlock) = (16, 64)

/// One product on the calling thread.
private func bfloatMatmul(
  _ m: Int, _ n: Int, _ k: Int, _ a: UnsafePointer<UInt16>, _ stridesA: (Int, Int),
  _ b: UnsafePointer<UInt16>, _ stridesB: (Int, Int), _ beta: Float, _ c: UnsafeMutablePointer<Float>,
  _ ldc: Int
) -> dnnl_status_t {
  let (first, second) = (
    [Int64(stridesA.0), Int64(stridesA.1)], [Int64(stridesB.0), Int64(stridesB.1)]
  )
  return captioner_bfloat_matmul(
    1, [0, 0, 0], Int64(m), Int64(n), Int64(k), a, first, b, second, beta, c, Int64(ldc))
}

/// C = A·B for `count` products of rows that lie one after the other, on the calling thread.
/// - Parameter steps: from one A, B and C to the next.
func bfloatProducts(
  _ count: Int, m: Int, n: Int, k: Int, _ a: UnsafePointer<UInt16>, _ b: UnsafePointer<UInt16>,
  _ c: UnsafeMutablePointer<Float>, steps: (Int, Int, Int)
) {
  let status = captioner_bfloat_matmul(
    Int64(count), [Int64(steps.0), Int64(steps.1), Int64(steps.2)], Int64(m), Int64(n), Int64(k), a,
    [Int64(k), 1], b, [Int64(n), 1], 0, c, Int64(n))
  precondition(status == dnnl_success, "oneDNN refused \(count) times \(m)x\(n)x\(k)")
}

/// Memory for rounded factors, used again by the next product.
///
/// `@unchecked Sendable`: whoever has taken it is its only user.
private final class BFloatScratch: @unchecked Sendable {
  private static let free = Mutex<[BFloatScratch]>([])

  private(set) var memory: UnsafeMutablePointer<UInt16>
  private var capacity: Int

  private init(_ capacity: Int) {
    self.capacity = capacity
    memory = .allocate(capacity: capacity)
  }

  deinit { memory.deallocate() }

  static func take(_ count: Int) -> BFloatScratch {
    let kept = free.withLock { $0.popLast() }
    guard let kept, kept.capacity >= count else { return BFloatScratch(count) }
    return kept
  }

  func give() { Self.free.withLock { $0.append(self) } }
}
