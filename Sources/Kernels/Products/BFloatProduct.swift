internal import COneDNN
internal import Synchronization

/// `multiply` with its factors rounded to bfloat16: those of whole blocks of 16 rows and of 64 terms, so that few shapes
/// of kernel are ever generated; what is left over is multiplied in single precision.
func multiplyBFloats(_ a: Factor, _ b: Factor, into c: MutableMatrix, beta: Float, on device: Device) {
  let (m, n, k) = (c.rows, c.columns, a.columnCount)
  let rows = m / rowBlock * rowBlock
  let terms = k / termBlock * termBlock
  let scratch = BFloatScratch.take(rows * terms + terms * n)
  defer { scratch.give() }
  let left = RoundedFactor(a.rows(0..<rows).columns(0..<terms), in: scratch.memory, on: device)
  let right = RoundedFactor(b.rows(0..<terms), in: scratch.memory + rows * terms, on: device)

  let acrossColumns = n >= rows
  let length = acrossColumns ? n : rows
  let pieces = min(16, max(1, m * n * k / 8_000_000))
  let size = ((length + pieces - 1) / pieces + termBlock - 1) / termBlock * termBlock
  let count = (length + size - 1) / size
  // The last piece is the rows that make no whole block.
  device.pool.run(count + (rows < m ? 1 : 0)) { piece in
    if piece == count {
      return multiplyHere(a.rows(rows..<m), b, into: c.rows(rows..<m), beta: beta)
    }
    let range = piece * size..<min(length, (piece + 1) * size)
    let down = acrossColumns ? 0..<rows : range
    let across = acrossColumns ? range : 0..<n
    let part = c.rows(down).columns(across)
    let status = bfloatMatmul(
      terms: terms, left.from(row: down.lowerBound), left.strides, right.from(column: across.lowerBound),
      right.strides, into: part, beta: beta)
    precondition(status == dnnl_success, "oneDNN refused \(part.rows)x\(part.columns)x\(terms)")
    if terms < k {
      multiplyHere(
        a.rows(down).columns(terms..<k), b.rows(terms..<k).columns(across), into: part, beta: 1)
    }
  }
}

/// Rows of a whole block.
private let rowBlock = 16
/// Terms of a whole block.
private let termBlock = 64

/// A factor rounded to bfloat16, row after row as it was stored.
private struct RoundedFactor {
  private let memory: UnsafePointer<UInt16>
  /// Elements from one row of the factor to the next, and from one column to the next.
  let strides: (Int, Int)

  init(_ factor: Factor, in memory: UnsafeMutablePointer<UInt16>, on device: Device) {
    let stored = factor.stored
    let round = device.kernels.float_to_bfloat!
    device.pool.runRows(stored.rows, columns: stored.columns) { range in
      for row in range { round(stored[row], memory + row * stored.columns, stored.columns) }
    }
    self.memory = UnsafePointer(memory)
    strides = factor.isTransposed ? (1, stored.columns) : (stored.columns, 1)
  }

  func from(row: Int) -> UnsafePointer<UInt16> { memory + row * strides.0 }
  func from(column: Int) -> UnsafePointer<UInt16> { memory + column * strides.1 }
}

/// One product [m, terms]×[terms, n] on the calling thread.
private func bfloatMatmul(
  terms: Int, _ a: UnsafePointer<UInt16>, _ stridesA: (Int, Int), _ b: UnsafePointer<UInt16>,
  _ stridesB: (Int, Int), into c: MutableMatrix, beta: Float
) -> dnnl_status_t {
  captioner_bfloat_matmul(
    1, [0, 0, 0], Int64(c.rows), Int64(c.columns), Int64(terms), a,
    [Int64(stridesA.0), Int64(stridesA.1)], b, [Int64(stridesB.0), Int64(stridesB.1)], beta, c.base,
    Int64(c.stride))
}

/// Whether oneDNN has a product of bfloat16 numbers for this CPU.
func bfloatProductIsKnown() -> Bool {
  let zero: [UInt16] = [0]
  var result: Float = 0
  return withUnsafeMutablePointer(to: &result) {
    bfloatMatmul(
      terms: 1, zero, (1, 1), zero, (1, 1), into: MutableMatrix($0, rows: 1, columns: 1), beta: 0)
      == dnnl_success
  }
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
