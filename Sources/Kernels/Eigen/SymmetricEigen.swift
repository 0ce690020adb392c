internal import CKernels
internal import Foundation

/// The eigenvalues of a symmetric matrix and some of its eigenvectors, in double precision: Householder reflections make it
/// tridiagonal, QL steps with implicit shifts diagonal (Golub & Van Loan 2013, 8.3).
///
/// A matrix of 2048 takes seconds: each reflection reads and writes what is left of the matrix once, and the rotations are
/// gathered and applied to a few columns at a time, which stay in the second-level cache.
public struct SymmetricEigen: Sendable {
  /// All eigenvalues, the largest first.
  public private(set) var values: [Double]
  /// Eigenvectors of length 1, [count, n], the first of the largest eigenvalue; the component of each that is furthest from
  /// zero is positive.
  public private(set) var vectors: [Double]

  /// Of a finite matrix [n, n]; what is above its diagonal is not read.
  /// - Parameter count: how many eigenvectors are wanted.
  public init(_ matrix: [Double], order n: Int, vectors count: Int, on device: Device) {
    precondition(
      n > 0 && matrix.count == n * n && (0...n).contains(count), "\(matrix.count), \(count) of \(n)")
    // So that squares neither vanish nor overflow.
    let largest = matrix.reduce(0) { max($0, abs($1)) }
    let unit = largest > 0 ? largest : 1
    var tridiagonal = Tridiagonal(matrix.map { $0 / unit }, n, device)
    var rotated = RotatedRows(n, device)
    tridiagonal.diagonalize(rotating: &rotated)
    let diagonal = tridiagonal.diagonal
    let order = diagonal.indices.sorted { (diagonal[$1], $0) < (diagonal[$0], $1) }
    values = order.map { diagonal[$0] * unit }
    vectors = rotated.rows(order.prefix(count))
    tridiagonal.reflect(&vectors, count: count)
    for row in 0..<count {
      let range = row * n..<(row + 1) * n
      let largest = range.max { abs(vectors[$0]) < abs(vectors[$1]) }
      if let largest, vectors[largest] < 0 {
        for place in range { vectors[place] = -vectors[place] }
      }
    }
  }
}

/// T = Qᵀ A Q with the reflections that Q is the product of.
private struct Tridiagonal {
  private(set) var diagonal: [Double]
  /// Element i is beside the diagonal's i and i + 1; the last is 0.
  private var beside: [Double]
  /// Row k, from column k + 1 on: the vector of reflection k.
  private var reflections: [Double]
  /// 2 / v·v of each.
  private var factors: [Double]
  private let n: Int
  private let device: Device

  init(_ matrix: [Double], _ n: Int, _ device: Device) {
    self.n = n
    self.device = device
    diagonal = [Double](repeating: 0, count: n)
    beside = diagonal
    factors = diagonal
    reflections = matrix
    for row in 0..<n {
      for column in 0..<row { reflections[column * n + row] = reflections[row * n + column] }
    }
    reduce()
  }

  private mutating func reduce() {
    let (n, pool) = (n, device.pool)
    var memory = reflections
    reflections = []
    defer { reflections = memory }
    let update = device.kernels.rank_two_row!
    // A −= v wᵀ + w vᵀ is put off until the next vector is known: so the matrix is passed over once.
    var v = [Double](repeating: 0, count: n)
    var (w, next, product) = (v, v, v)
    var (diagonal, beside, factors) = (diagonal, beside, factors)
    memory.withUnsafeMutableBufferPointer { memory in
      let a = memory.baseAddress!
      for k in 0..<n {
        let own = a + k * n
        for j in k..<n { own[j] -= v[k] * w[j] + w[k] * v[j] }
        diagonal[k] = own[k]
        guard k + 2 < n else {
          beside[k] = k + 1 < n ? own[k + 1] : 0
          continue
        }
        let first = own[k + 1]
        var squares = 0.0
        for j in k + 1..<n { squares += own[j] * own[j] }
        let norm = squares.squareRoot()
        // Where there is nothing to reflect v is 0.
        let target = first > 0 ? -norm : norm
        next[k] = 0
        for j in k + 1..<n { next[j] = own[j] }
        next[k + 1] = first - target
        beside[k] = target
        let length = squares - first * first + next[k + 1] * next[k + 1]
        factors[k] = length > 0 ? 2 / length : 0
        for j in k + 1..<n { own[j] = next[j] }
        v.withUnsafeBufferPointer { v in
          w.withUnsafeBufferPointer { w in
            next.withUnsafeBufferPointer { next in
              product.withUnsafeMutableBufferPointer { product in
                let from = k + 1
                pool.runRows(n - from, columns: 2 * (n - from)) { rows in
                  for i in rows.lowerBound + from..<rows.upperBound + from {
                    product[i] = update(
                      a + i * n + from, w[i], v.baseAddress! + from, v[i], w.baseAddress! + from,
                      next.baseAddress! + from, n - from)
                  }
                }
              }
            }
          }
        }
        swap(&v, &next)
        var along = 0.0
        for j in k + 1..<n { along += product[j] * v[j] }
        let factor = factors[k]
        for j in k + 1..<n { w[j] = factor * product[j] - 0.5 * factor * factor * along * v[j] }
      }
    }
    (self.diagonal, self.beside, self.factors) = (diagonal, beside, factors)
  }

  /// Makes it diagonal.
  mutating func diagonalize(rotating rows: inout RotatedRows) {
    for l in 0..<n {
      // Two or three steps are usual.
      for _ in 0..<100 {
        var m = l
        while m + 1 < n {
          let size = abs(diagonal[m]) + abs(diagonal[m + 1])
          if abs(beside[m]) <= .ulpOfOne * size { break }
          m += 1
        }
        if m == l { break }
        step(l, m, &rows)
      }
    }
    rows.finish()
  }

  /// A QL step with an implicit shift on l...m.
  private mutating func step(_ l: Int, _ m: Int, _ rows: inout RotatedRows) {
    var g = (diagonal[l + 1] - diagonal[l]) / (2 * beside[l])
    g = diagonal[m] - diagonal[l] + beside[l] / (g + (g < 0 ? -1 : 1) * hypot(g, 1))
    var (s, c, p) = (1.0, 1.0, 0.0)
    for i in stride(from: m - 1, through: l, by: -1) {
      let (f, b) = (s * beside[i], c * beside[i])
      let r = hypot(f, g)
      beside[i + 1] = r
      if r == 0 {
        diagonal[i + 1] -= p
        beside[m] = 0
        return
      }
      (s, c) = (f / r, g / r)
      g = diagonal[i + 1] - p
      let q = (diagonal[i] - g) * s + 2 * c * b
      p = s * q
      diagonal[i + 1] = g + p
      g = c * q - b
      rows.rotate(i, cosine: c, sine: s)
    }
    diagonal[l] -= p
    beside[l] = g
    beside[m] = 0
  }

  /// Eigenvectors of T [count, n] become those of A.
  func reflect(_ vectors: inout [Double], count: Int) {
    let (n, reflect) = (n, device.kernels.reflect_row!)
    // As many rows at a time as read each reflection from the nearest cache.
    let together = 16
    vectors.withUnsafeMutableBufferPointer { vectors in
      reflections.withUnsafeBufferPointer { reflections in
        device.pool.run((count + together - 1) / together) { piece in
          for k in stride(from: n - 3, through: 0, by: -1) where factors[k] != 0 {
            for row in piece * together..<min(count, (piece + 1) * together) {
              reflect(
                factors[k], reflections.baseAddress! + k * n + k + 1,
                vectors.baseAddress! + row * n + k + 1, n - k - 1)
            }
          }
        }
      }
    }
  }
}

/// The identity [n, n], whose rows are rotated in pairs; kept as blocks of columns.
private struct RotatedRows {
  private static let width = 32
  private var blocks: [[Double]]
  private var places: [Int32] = []
  private var cosines: [Double] = []
  private var sines: [Double] = []
  private let n: Int
  private let device: Device

  init(_ n: Int, _ device: Device) {
    self.n = n
    self.device = device
    blocks = (0..<(n + Self.width - 1) / Self.width).map { block in
      var values = [Double](repeating: 0, count: n * Self.width)
      for column in 0..<min(Self.width, n - block * Self.width) {
        values[(block * Self.width + column) * Self.width + column] = 1
      }
      return values
    }
  }

  /// Rows i and i + 1.
  mutating func rotate(_ i: Int, cosine: Double, sine: Double) {
    places.append(Int32(i))
    cosines.append(cosine)
    sines.append(sine)
    if places.count == 1 << 18 { finish() }
  }

  /// Does what was put off.
  mutating func finish() {
    let rotate = device.kernels.rotate_rows!
    var memory = blocks.indices.map { _ in [Double]() }
    swap(&memory, &blocks)
    memory.withUnsafeMutableBufferPointer { blocks in
      let shared = Shared(blocks)
      device.pool.run(blocks.count) { block in
        shared.blocks[block].withUnsafeMutableBufferPointer {
          rotate($0.baseAddress, Self.width, places, cosines, sines, places.count)
        }
      }
    }
    swap(&memory, &blocks)
    places.removeAll(keepingCapacity: true)
    cosines.removeAll(keepingCapacity: true)
    sines.removeAll(keepingCapacity: true)
  }

  /// Blocks of which each thread changes others.
  private struct Shared: @unchecked Sendable {
    let blocks: UnsafeMutableBufferPointer<[Double]>
    init(_ blocks: UnsafeMutableBufferPointer<[Double]>) { self.blocks = blocks }
  }

  /// Some of the rows.
  func rows(_ indices: some Sequence<Int>) -> [Double] {
    indices.flatMap { row in
      (0..<n).map { blocks[$0 / Self.width][row * Self.width + $0 % Self.width] }
    }
  }
}
