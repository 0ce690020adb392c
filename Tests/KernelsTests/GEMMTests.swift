import Support
import Tensors
import TestSupport
import Testing

@testable import Kernels

@Suite struct GEMMTests {
  /// Small, tall, wide and cut into pieces; every transposition; beta that keeps and beta that drops.
  @Test(arguments: [(1, 1, 1), (3, 17, 5), (300, 260, 70), (40, 1200, 130), (1500, 20, 200)], [false, true])
  func agreesWithTheDefinition(size: (Int, Int, Int), transposeA: Bool) {
    let (m, n, k) = size
    var random = Random(seed: 11)
    let a = Tensor(uniform: [m, k], limit: 1, using: &random)
    let b = Tensor(uniform: [k, n], limit: 1, using: &random)
    let start = Tensor(uniform: [m, n], limit: 1, using: &random)
    var expected = start.scalars
    for i in 0..<m {
      for j in 0..<n {
        var sum = 0.0
        for l in 0..<k {
          sum += Double(transposeA ? a[l * m + i] : a[i * k + l]) * Double(b[l * n + j])
        }
        expected[i * n + j] = Float(0.5 * sum) + 2 * expected[i * n + j]
      }
    }
    var results: [Tensor] = []
    for threads in [1, 3] {
      var c = start
      gemm(
        m: m, n: n, k: k, alpha: 0.5, a.pointer, lda: transposeA ? m : k, transposeA: transposeA, b.pointer,
        ldb: n,
        beta: 2, c.mutablePointer(), ldc: n, pool: ThreadPool(threads: threads))
      results.append(c)
    }
    #expect(relativeError(results[0].scalars, expected) < 1e-6)
    #expect(results[0] == results[1])
  }

  /// With beta 0 the output may hold anything, NaN included.
  @Test func overwritesWithoutReading() {
    let a = Tensor(repeating: 1, [2, 3])
    var c = Tensor(repeating: .nan, [2, 2])
    gemm(m: 2, n: 2, k: 3, a.pointer, lda: 3, a.pointer, ldb: 3, transposeB: true, c.mutablePointer(), ldc: 2)
    #expect(c.scalars == [3, 3, 3, 3])
  }

  /// Factors that bfloat16 holds are multiplied exactly; rows and terms that make no whole block are not left out.
  @Test(
    .enabled(if: Arithmetic.bfloat16.isAvailable), arguments: [(16, 64, 64), (100, 330, 130), (700, 40, 97)],
    [(false, false), (false, true), (true, false)])
  func bfloat(size: (Int, Int, Int), transposed: (Bool, Bool)) {
    let ((m, n, k), (transposeA, transposeB)) = (size, transposed)
    var random = Random(seed: 12)
    func small(_ count: Int) -> Tensor {
      Tensor((0..<count).map { _ in Float(random.next() % 255) - 127 }, [count])
    }
    let (a, b, start) = (small(m * k), small(k * n), small(m * n))
    for beta: Float in [0, 1] {
      var results: [Tensor] = []
      for threads in [1, 3] {
        var c = beta == 0 ? Tensor(repeating: .nan, [m * n]) : start
        bfloatGEMM(
          m: m, n: n, k: k, a.pointer, lda: transposeA ? m : k, transposeA: transposeA, b.pointer,
          ldb: transposeB ? k : n, transposeB: transposeB, beta: beta, c.mutablePointer(), ldc: n,
          pool: ThreadPool(threads: threads))
        results.append(c)
      }
      #expect(results[0] == results[1])
      var expected = start.scalars
      for i in 0..<m {
        for j in 0..<n {
          var sum: Float = 0
          for l in 0..<k {
            sum += a[transposeA ? l * m + i : i * k + l] * b[transposeB ? j * k + l : l * n + j]
          }
          expected[i * n + j] = sum + beta * expected[i * n + j]
        }
      }
      // Whole numbers below 2^24: no rounding anywhere.
      #expect(results[0].scalars == expected)
    }
  }

  /// To nearest, ties to even, as the hardware's own conversion; what is not a number stays so.
  @Test(arguments: InstructionSet.available.map(\.description)) func roundsToBFloat(name: String) throws {
    let round = try #require(InstructionSet(named: name)).table.pointer.pointee.float_to_bfloat!
    let source: [Float] = [
      1, 1.00390625, 1.01171875, -1.004, .infinity, -.infinity, 3.4e38, .nan, -0.0,
      Float(bitPattern: 0x7F80_0001), Float(bitPattern: 0x0001_16C2),
    ]
    var found = [UInt16](repeating: 0, count: source.count)
    round(source, &found, source.count)
    #expect(found[0..<7] == [0x3F80, 0x3F80, 0x3F82, 0xBF81, 0x7F80, 0xFF80, 0x7F80])
    #expect(
      Float(bitPattern: UInt32(found[7]) << 16).isNaN && Float(bitPattern: UInt32(found[9]) << 16).isNaN)
    #expect(found[8] == 0x8000 && found[10] == 0x0001)
  }
}
