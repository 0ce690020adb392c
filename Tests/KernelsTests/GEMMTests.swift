import Kernels
import TestSupport
import Tensors
import Testing

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
}
