import Support
import Tensors
import TestSupport
import Testing

@testable import Kernels

@Suite struct MultiplyTests {
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
      multiply(
        transposeA ? .transposed(Matrix(a.pointer, rows: k, columns: m)) : .plain(a.matrix), .plain(b.matrix),
        into: c.mutableMatrix(), alpha: 0.5, beta: 2, on: device(threads))
      results.append(c)
    }
    #expect(relativeError(results[0].scalars, expected) < 1e-6)
    #expect(results[0] == results[1])
  }

  /// One row times a small matrix is a product like any other, also where few numbers make no whole vector.
  @Test(
    arguments: InstructionSet.available,
    [(1, 1), (3, 5), (15, 17), (16, 16), (100, 100), (37, 200), (200, 37), (300, 215)] as [(Int, Int)])
  func oneRowTimesASmallMatrix(instructions: InstructionSet, size: (n: Int, k: Int)) {
    var random = Random(seed: 12)
    let (n, k) = size
    let x = Tensor(uniform: [1, k], limit: 1, using: &random)
    // Rows are wider than what is read of them.
    let plain = Tensor(uniform: [k, n + 3], limit: 1, using: &random)
    let turned = Tensor(uniform: [n, k + 2], limit: 1, using: &random)
    let start = Tensor(uniform: [1, n], limit: 1, using: &random)
    let device = Device(instructions: instructions)
    for beta: Float in [0, 1] {
      func check(_ factor: Factor, _ b: (Int, Int) -> Float) {
        let expected = (0..<n).map { j in
          Float((0..<k).reduce(0.0) { $0 + Double(x[$1]) * Double(b($1, j)) }) + beta * start[j]
        }
        var y = start
        multiply(.plain(x.matrix), factor, into: y.mutableMatrix(), beta: beta, on: device)
        #expect(relativeError(y.scalars, expected) < 1e-6)
        multiply(
          .transposed(Matrix(x.pointer, rows: k, columns: 1)), factor, into: y.mutableMatrix(), on: device)
        #expect(relativeError(y.scalars, expected.indices.map { expected[$0] - beta * start[$0] }) < 2e-6)
      }
      check(.plain(Matrix(plain.pointer, rows: k, columns: n, stride: n + 3))) { plain[$0 * (n + 3) + $1] }
      check(.transposed(Matrix(turned.pointer, rows: n, columns: k, stride: k + 2))) {
        turned[$1 * (k + 2) + $0]
      }
    }
    withExtendedLifetime((plain, turned, x)) {}
  }

  /// A batch may be empty: what has no rows has columns all the same, and no term leaves zeros.
  @Test func mayBeEmpty() {
    let none = Tensor(zeros: [0, 5])
    let b = Tensor(repeating: 1, [3, 5])
    #expect(none.matrix.columns == 5 && none.matrix.rows == 0)
    var c = Tensor(zeros: [0, 3])
    multiply(.plain(none.matrix), .transposed(b.matrix), into: c.mutableMatrix(), on: .cpu)
    var sums = Tensor(repeating: .nan, [5, 5])
    multiply(.transposed(none.matrix), .plain(none.matrix), into: sums.mutableMatrix(), on: .cpu)
    #expect(sums == Tensor(zeros: [5, 5]))
  }

  /// With beta 0 the output may hold anything, NaN included.
  @Test func overwritesWithoutReading() {
    let a = Tensor(repeating: 1, [2, 3])
    var c = Tensor(repeating: .nan, [2, 2])
    multiply(.plain(a.matrix), .transposed(a.matrix), into: c.mutableMatrix(), on: .cpu)
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
    let left =
      transposeA
      ? Factor.transposed(Matrix(a.pointer, rows: k, columns: m))
      : .plain(Matrix(a.pointer, rows: m, columns: k))
    let right =
      transposeB
      ? Factor.transposed(Matrix(b.pointer, rows: n, columns: k))
      : .plain(Matrix(b.pointer, rows: k, columns: n))
    for beta: Float in [0, 1] {
      var results: [Tensor] = []
      for threads in [1, 3] {
        var c = beta == 0 ? Tensor(repeating: .nan, [m * n]) : start
        multiplyBFloats(
          left, right, into: MutableMatrix(c.mutablePointer(), rows: m, columns: n), beta: beta,
          on: device(threads))
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

  /// Large products multiply what the device says, small ones floats, and another device is not touched by it.
  @Test(.enabled(if: Arithmetic.bfloat16.isAvailable), arguments: [(256, true), (100, false)])
  func theDeviceSaysWhatIsMultiplied(side: Int, isLarge: Bool) {
    var random = Random(seed: 13)
    let a = Tensor(uniform: [side, side], limit: 1, using: &random)
    let b = Tensor(uniform: [side, side], limit: 1, using: &random)
    let products = [Device.cpu.multiplying(.bfloat16), .cpu].map { device in
      var c = Tensor(repeating: .nan, [side, side])
      multiply(.plain(a.matrix), .plain(b.matrix), into: c.mutableMatrix(), on: device)
      return c
    }
    let error = relativeError(products[0], products[1])
    #expect(isLarge ? error > 1e-4 && error < 1e-2 : error == 0, "\(error)")
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
