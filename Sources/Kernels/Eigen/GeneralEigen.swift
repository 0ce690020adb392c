internal import CKernels

/// An eigenvalue of a real matrix.
public struct Eigenvalue: Sendable, Equatable {
  /// Its real part.
  public let real: Double
  /// Its imaginary part; another eigenvalue is the conjugate where it is not 0.
  public let imaginary: Double

  /// real + imaginary·i.
  public init(real: Double, imaginary: Double = 0) {
    self.real = real
    self.imaginary = imaginary
  }

  /// Its distance from 0.
  public var magnitude: Double { (real * real + imaginary * imaginary).squareRoot() }
}

/// The eigenvalues of a real matrix that need not be symmetric, in double precision: Householder reflections make it upper
/// Hessenberg, QR steps with the double shift of Francis (1961) split eigenvalues off its end (EISPACK's orthes and hqr;
/// Golub & Van Loan 2013, 7.4 and 7.5).
///
/// LAPACK's dgeev would do, but brings BLAS and the runtime of Fortran into every installation, for one page's numbers. A
/// matrix of 512 takes about a second.
public struct GeneralEigen: Sendable {
  /// All eigenvalues, the furthest from 0 first, of two conjugates the upper.
  public let values: [Eigenvalue]

  /// Of a finite matrix [n, n]; nil where the steps do not end, which is not known to happen.
  public init?(_ matrix: [Double], order n: Int, on device: Device) {
    precondition(n > 0 && matrix.count == n * n, "\(matrix.count) of \(n)")
    // So that products neither vanish nor overflow.
    let largest = matrix.reduce(0) { max($0, abs($1)) }
    let unit = largest > 0 ? largest : 1
    var hessenberg = Hessenberg(matrix.map { $0 / unit }, n)
    hessenberg.reduce(device)
    guard let values = hessenberg.eigenvalues() else { return nil }
    self.values = values.map { Eigenvalue(real: $0.real * unit, imaginary: $0.imaginary * unit) }
      .sorted { ($1.magnitude, $1.real, $1.imaginary) < ($0.magnitude, $0.real, $0.imaginary) }
  }

  /// The largest magnitude of an eigenvalue.
  public var spectralRadius: Double { values[0].magnitude }
}

/// A matrix [n, n] on its way to its eigenvalues, row by row.
private struct Hessenberg {
  private var a: [Double]
  private let n: Int

  init(_ matrix: [Double], _ n: Int) {
    a = matrix
    self.n = n
  }

  /// QᵀAQ, zero below the diagonal beside the main one.
  mutating func reduce(_ device: Device) {
    let n = n
    guard n > 2 else { return }
    let reflect = device.kernels.reflect_row!
    var v = [Double](repeating: 0, count: n)
    var sums = v
    a.withUnsafeMutableBufferPointer { a in
      let a = a.baseAddress!
      for k in 0..<n - 2 {
        var squares = 0.0
        for i in k + 1..<n {
          v[i] = a[i * n + k]
          squares += v[i] * v[i]
        }
        let first = v[k + 1]
        guard squares > first * first else { continue }
        let target = first > 0 ? -squares.squareRoot() : squares.squareRoot()
        v[k + 1] = first - target
        let factor = 2 / (squares - first * first + v[k + 1] * v[k + 1])
        // From the left: rows k + 1 and on, less factor·v (vᵀA).
        for j in k..<n { sums[j] = 0 }
        for i in k + 1..<n {
          let (weight, row) = (v[i], a + i * n)
          for j in k..<n { sums[j] += weight * row[j] }
        }
        for i in k + 1..<n {
          let (weight, row) = (factor * v[i], a + i * n)
          for j in k..<n { row[j] -= weight * sums[j] }
        }
        for i in k + 2..<n { a[i * n + k] = 0 }
        // From the right: every row is reflected.
        v.withUnsafeBufferPointer { v in
          for i in 0..<n { reflect(factor, v.baseAddress! + k + 1, a + i * n + k + 1, n - k - 1) }
        }
      }
    }
  }

  /// By QR steps, which leave of the matrix what is not split off yet.
  mutating func eigenvalues() -> [Eigenvalue]? {
    var found: [Eigenvalue] = []
    var norm = 0.0
    for i in 0..<n {
      for j in max(0, i - 1)..<n { norm += abs(self[i, j]) }
    }
    var (last, shift, steps) = (n - 1, 0.0, 0)
    while last >= 0 {
      let first = blockStart(before: last, norm)
      switch last - first {
      case 0:
        found.append(Eigenvalue(real: self[last, last] + shift))
        (last, steps) = (last - 1, 0)
      case 1:
        found += pair(last, shift)
        (last, steps) = (last - 2, 0)
      default:
        if steps == 90 { return nil }
        step(first, last, number: steps, &shift)
        steps += 1
      }
    }
    return found
  }

  private subscript(row: Int, column: Int) -> Double {
    get { a[row * n + column] }
    set { a[row * n + column] = newValue }
  }

  /// Where the block that ends with `last` begins: what is left of it is nothing beside the diagonal.
  private func blockStart(before last: Int, _ norm: Double) -> Int {
    var first = last
    while first > 0 {
      let size = abs(self[first - 1, first - 1]) + abs(self[first, first])
      if abs(self[first, first - 1]) <= .ulpOfOne * (size == 0 ? norm : size) { break }
      first -= 1
    }
    return first
  }

  /// Both eigenvalues of the block of two that ends with `last`.
  private func pair(_ last: Int, _ shift: Double) -> [Eigenvalue] {
    let x = self[last, last] + shift
    let w = self[last, last - 1] * self[last - 1, last]
    let p = (self[last - 1, last - 1] - self[last, last]) / 2
    let q = p * p + w
    let root = abs(q).squareRoot()
    if q < 0 {
      return [
        Eigenvalue(real: x + p, imaginary: root), Eigenvalue(real: x + p, imaginary: -root),
      ]
    }
    // The other by their product: a difference would lose digits.
    let far = p + (p < 0 ? -root : root)
    return [Eigenvalue(real: x + far), Eigenvalue(real: far == 0 ? x : x - w / far)]
  }

  /// A double step on rows first...last, at least three.
  private mutating func step(_ first: Int, _ last: Int, number: Int, _ shift: inout Double) {
    var x = self[last, last]
    var y = self[last - 1, last - 1]
    var w = self[last, last - 1] * self[last - 1, last]
    if number % 10 == 9 {
      // A shift of another kind, where the usual one goes round in circles.
      shift += x
      for i in 0...last { self[i, i] -= x }
      let size = abs(self[last, last - 1]) + abs(self[last - 1, last - 2])
      x = 0.75 * size
      y = x
      w = -0.4375 * size * size
    }
    var (p, q, r) = (0.0, 0.0, 0.0)
    var start = last - 2
    while true {
      let z = self[start, start]
      let (toX, toY) = (x - z, y - z)
      p = (toX * toY - w) / self[start + 1, start] + self[start, start + 1]
      q = self[start + 1, start + 1] - z - toX - toY
      r = self[start + 2, start + 1]
      let size = abs(p) + abs(q) + abs(r)
      (p, q, r) = (p / size, q / size, r / size)
      if start == first { break }
      let beside = abs(self[start, start - 1]) * (abs(q) + abs(r))
      let around = abs(self[start - 1, start - 1]) + abs(z) + abs(self[start + 1, start + 1])
      if beside <= .ulpOfOne * abs(p) * around { break }
      start -= 1
    }
    for i in start + 2...last {
      self[i, i - 2] = 0
      if i > start + 2 { self[i, i - 3] = 0 }
    }
    for k in start..<last {
      var size = 1.0
      let isLast = k == last - 1
      if k > start {
        p = self[k, k - 1]
        q = self[k + 1, k - 1]
        r = isLast ? 0 : self[k + 2, k - 1]
        size = abs(p) + abs(q) + abs(r)
        if size == 0 { continue }
        (p, q, r) = (p / size, q / size, r / size)
      }
      let length = (p * p + q * q + r * r).squareRoot()
      let s = p < 0 ? -length : length
      if k > start {
        self[k, k - 1] = -s * size
      } else if first < start {
        self[k, k - 1] = -self[k, k - 1]
      }
      p += s
      reflect(
        k, isLast: isLast, rows: first...min(last, k + 3), columns: k...last, (p / s, q / s, r / s),
        (q / p, r / p))
    }
  }

  /// A reflection of rows and columns k, k + 1 and, but for the last, k + 2.
  private mutating func reflect(
    _ k: Int, isLast: Bool, rows: ClosedRange<Int>, columns: ClosedRange<Int>,
    _ out: (Double, Double, Double), _ along: (Double, Double)
  ) {
    let n = n
    a.withUnsafeMutableBufferPointer { a in
      let top = a.baseAddress! + k * n
      let (middle, bottom) = (top + n, top + (isLast ? n : 2 * n))
      // Without a third row its weights are 0.
      let (x, y, z) = (out.0, out.1, isLast ? 0 : out.2)
      let (q, r) = (along.0, isLast ? 0 : along.1)
      for j in columns {
        let p = top[j] + q * middle[j] + r * bottom[j]
        top[j] -= p * x
        middle[j] -= p * y
        if !isLast { bottom[j] -= p * z }
      }
      for i in rows {
        let row = a.baseAddress! + i * n + k
        let third = isLast ? 0 : row[2]
        let p = x * row[0] + y * row[1] + z * third
        row[0] -= p
        row[1] -= p * q
        if !isLast { row[2] -= p * r }
      }
    }
  }
}
