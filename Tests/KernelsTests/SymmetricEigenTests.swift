import Kernels
import Support
import Tensors
import TestSupport
import Testing

@Suite struct SymmetricEigenTests {
  /// numpy's, made by tools/golden/head.py.
  @Test func agreesWithNumpy() throws {
    let golden = try SafetensorsFile(path: fixture("eigen.safetensors"))
    let matrix = try golden.tensor(named: "matrix").scalars.map(Double.init)
    let eigen = SymmetricEigen(matrix, order: 40, vectors: 40, on: .cpu)
    #expect(relativeError(eigen.values.map { Float($0) }, try golden.tensor(named: "values").scalars) < 1e-6)
    #expect(
      relativeError(eigen.vectors.map { Float($0) }, try golden.tensor(named: "vectors").scalars) < 1e-5)
  }

  /// A matrix of a kind, of an order.
  private static func matrix(_ kind: String, _ n: Int) -> [Double] {
    var random = Random(seed: UInt64(n))
    let rank = kind == "low rank" ? max(1, n / 3) : n
    let factor = (0..<n * rank).map { _ in Double(random.uniform()) - 0.5 }
    return (0..<n * n).map { place in
      let (i, j) = (place / n, place % n)
      switch kind {
      case "zero": return 0
      case "diagonal": return i == j ? Double((i * 7) % n) : 0
      case "tiny": return 1e-200 * Double(i + j)
      default: return (0..<rank).reduce(0) { $0 + factor[i * rank + $1] * factor[j * rank + $1] }
      }
    }
  }

  /// A·u = λ·u and u·u' = 0 or 1 for every pair, whatever the matrix; more threads and every instruction set agree.
  @Test(
    arguments: ["full", "low rank", "diagonal", "zero", "tiny"], [1, 2, 3, 17, 67])
  func vectorsAreStretchedByTheirValues(kind: String, n: Int) {
    let matrix = Self.matrix(kind, n)
    let size = matrix.map(abs).max() ?? 0
    for set in InstructionSet.available {
      let eigen = SymmetricEigen(
        matrix, order: n, vectors: n,
        on: Device(pool: ThreadPool(threads: 1), instructions: set))
      let threaded = SymmetricEigen(
        matrix, order: n, vectors: n,
        on: Device(pool: ThreadPool(threads: 3), instructions: set))
      #expect(eigen.vectors == threaded.vectors && eigen.values == threaded.values)
      #expect(zip(eigen.values, eigen.values.dropFirst()).allSatisfy { $0 >= $1 })
      let few = SymmetricEigen(matrix, order: n, vectors: (n + 1) / 2, on: Device(instructions: set))
      #expect(few.vectors == Array(eigen.vectors.prefix(few.vectors.count)))
      var worst = (residual: 0.0, product: 0.0)
      for a in 0..<n {
        let u = eigen.vectors[a * n..<(a + 1) * n]
        for i in 0..<n {
          let stretched = zip(matrix[i * n..<(i + 1) * n], u).reduce(0) { $0 + $1.0 * $1.1 }
          worst.residual = max(worst.residual, abs(stretched - eigen.values[a] * u[a * n + i]))
        }
        for b in 0...a {
          let product = zip(u, eigen.vectors[b * n..<(b + 1) * n]).reduce(0) { $0 + $1.0 * $1.1 }
          worst.product = max(worst.product, abs(product - (a == b ? 1 : 0)))
        }
      }
      #expect(worst.residual <= 1e-12 * Double(n) * size && worst.product < 1e-12, "\(worst)")
    }
  }
}
