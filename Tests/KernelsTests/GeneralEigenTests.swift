import Foundation
import Kernels
import Support
import Tensors
import TestSupport
import Testing

@Suite struct GeneralEigenTests {
  /// How far two lists are from being the same in some order: each value takes the nearest that is left.
  private static func distance(_ found: [Eigenvalue], _ expected: [Eigenvalue]) -> Double {
    guard found.count == expected.count else { return .infinity }
    var (rest, worst) = (expected, 0.0)
    for value in found {
      func far(_ other: Eigenvalue) -> Double {
        hypot(value.real - other.real, value.imaginary - other.imaginary)
      }
      guard let nearest = rest.indices.min(by: { far(rest[$0]) < far(rest[$1]) }) else { return .infinity }
      worst = max(worst, far(rest[nearest]))
      rest.remove(at: nearest)
    }
    return worst
  }

  /// numpy's, made by tools/golden/eigenvalues.py. A triple value moves by the cube root of a rounding.
  @Test(arguments: [("uniform", 1e-6), ("rotation", 1e-6), ("defective", 1e-4), ("companion", 1e-6)])
  func agreesWithNumpy(name: String, tolerance: Double) throws {
    let golden = try SafetensorsFile(path: fixture("eigenvalues.safetensors"))
    let matrix = try golden.tensor(named: "\(name).matrix")
    let (real, imaginary) = (
      try golden.tensor(named: "\(name).real").scalars, try golden.tensor(named: "\(name).imaginary").scalars
    )
    let expected = zip(real, imaginary).map { Eigenvalue(real: Double($0), imaginary: Double($1)) }
    let eigen = try #require(
      GeneralEigen(matrix.scalars.map(Double.init), order: matrix.shape[0], on: .cpu))
    #expect(Self.distance(eigen.values, expected) < tolerance)
    #expect(zip(eigen.values, eigen.values.dropFirst()).allSatisfy { $0.magnitude >= $1.magnitude })
    #expect(eigen.spectralRadius == eigen.values[0].magnitude)
  }

  /// Of a symmetric matrix they are those that `SymmetricEigen` finds.
  @Test(arguments: [1, 2, 3, 4, 29]) func ofSymmetricMatrices(n: Int) throws {
    var random = Random(seed: UInt64(n))
    var matrix = [Double](repeating: 0, count: n * n)
    for i in 0..<n {
      for j in 0...i {
        matrix[i * n + j] = Double(random.normal())
        matrix[j * n + i] = matrix[i * n + j]
      }
    }
    let symmetric = SymmetricEigen(matrix, order: n, vectors: 0, on: .cpu).values
    let general = try #require(GeneralEigen(matrix, order: n, on: .cpu)).values
    #expect(Self.distance(general, symmetric.map { Eigenvalue(real: $0) }) < 1e-12 * Double(n))
  }

  /// Sum and product are the trace's and the determinant's, whatever the scale; conjugates come in pairs.
  @Test(arguments: [1e-150, 1, 1e150]) func sumAndProduct(scale: Double) throws {
    // [[0, −1], [1, 0]] and 3, moved by a similarity.
    let matrix: [Double] = [2, -1, 4, 5, -2, 7, 0, 0, 3].map { $0 * scale }
    let values = try #require(GeneralEigen(matrix, order: 3, on: .cpu)).values
    let expected = [
      Eigenvalue(real: 3 * scale), Eigenvalue(real: 0, imaginary: scale),
      Eigenvalue(real: 0, imaginary: -scale),
    ]
    #expect(Self.distance(values, expected) < 1e-14 * scale)
    #expect(values[1].imaginary > 0 && values[2].imaginary == -values[1].imaginary)
  }

  /// Zeros, triangles, and a nilpotent matrix have what stands on their diagonals.
  @Test func trianglesHaveTheirDiagonals() throws {
    #expect(try #require(GeneralEigen([0, 0, 0, 0], order: 2, on: .cpu)).values.map(\.magnitude) == [0, 0])
    let n = 12
    for diagonal in [0.0, 1.0] {
      let matrix = (0..<n * n).map { place in
        place / n < place % n ? 0.5 : place / n == place % n ? diagonal * Double(place / n) : 0
      }
      let values = try #require(GeneralEigen(matrix, order: n, on: .cpu)).values
      #expect(
        Self.distance(values, (0..<n).map { Eigenvalue(real: diagonal * Double($0)) }) < 1e-9)
    }
  }
}
