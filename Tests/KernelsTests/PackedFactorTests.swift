import Support
import Tensors
import TestSupport
import Testing

@testable import Kernels

@Suite struct PackedFactorTests {
  /// Products of every height of a tile and more, of columns that fill no panel and of terms that fill no block, with
  /// either factor's rows wider apart than they are long, are what the definition says.
  @Test(
    arguments: InstructionSet.available,
    [(1, 1, 1), (4, 100, 100), (7, 33, 130), (13, 64, 300), (60, 17, 129), (101, 70, 50)]
      as [(Int, Int, Int)])
  func agreesWithTheDefinition(instructions: InstructionSet, size: (m: Int, n: Int, k: Int)) {
    let (m, n, k) = size
    var random = Random(seed: 3)
    let a = Tensor(uniform: [m, k + 3], limit: 1, using: &random)
    let plain = Tensor(uniform: [k, n + 2], limit: 1, using: &random)
    let turned = Tensor(uniform: [n, k + 1], limit: 1, using: &random)
    let start = Tensor(uniform: [m, n + 5], limit: 1, using: &random)
    let factors: [(Factor, (Int, Int) -> Float)] = [
      (.plain(Matrix(plain.pointer, rows: k, columns: n, stride: n + 2)), { plain[$0 * (n + 2) + $1] }),
      (
        .transposed(Matrix(turned.pointer, rows: n, columns: k, stride: k + 1)),
        { turned[$1 * (k + 1) + $0] }
      ),
    ]
    let device = Device(instructions: instructions)
    for (factor, b) in factors {
      var memory = Tensor(
        repeating: .nan, [PackedFactor.scalars(rows: k, columns: n, on: device)])
      let packed = PackedFactor(factor, in: memory.mutablePointer(), on: device)
      for adds in [false, true] {
        var c = start
        packed.multiply(
          Matrix(a.pointer, rows: m, columns: k, stride: k + 3),
          into: MutableMatrix(c.mutablePointer(), rows: m, columns: n, stride: n + 5), adds: adds, on: device)
        var expected = start.scalars
        for i in 0..<m {
          for j in 0..<n {
            let sum = (0..<k).reduce(0.0) { $0 + Double(a[i * (k + 3) + $1]) * Double(b($1, j)) }
            expected[i * (n + 5) + j] = Float(sum) + (adds ? start[i * (n + 5) + j] : 0)
          }
        }
        #expect(relativeError(c.scalars, expected) < 1e-6)
      }
      withExtendedLifetime(memory) {}
    }
    withExtendedLifetime((a, plain, turned)) {}
  }

  /// A part of its rows or columns is the factor's; columns that begin amid a panel are none.
  @Test func parts() throws {
    var random = Random(seed: 4)
    let device = Device.cpu
    let width = device.kernels.panel_columns
    let b = Tensor(uniform: [50, 3 * width], limit: 1, using: &random)
    let a = Tensor(uniform: [5, 50], limit: 1, using: &random)
    var memory = Tensor(zeros: [PackedFactor.scalars(rows: 50, columns: 3 * width, on: device)])
    let packed = PackedFactor(.plain(b.matrix), in: memory.mutablePointer(), on: device)
    #expect(packed.columns(1..<width) == nil)
    let columns = width..<2 * width + 3
    let part = try #require(packed.columns(columns)?.rows(10..<30))
    var (c, expected) = (Tensor(zeros: [5, width + 3]), Tensor(zeros: [5, width + 3]))
    part.multiply(a.matrix.columns(10..<30), into: c.mutableMatrix(), adds: false, on: device)
    multiply(
      .plain(a.matrix.columns(10..<30)), .plain(b.matrix.rows(10..<30).columns(columns)),
      into: expected.mutableMatrix(), on: device)
    #expect(relativeError(c, expected) < 1e-6)
    withExtendedLifetime((memory, b, a)) {}
  }

  /// A row's sums are the same bits whatever rows it is multiplied with, and with whatever number of threads.
  @Test func aRowIsTheSameAmongOthers() {
    var random = Random(seed: 5)
    let (m, n, k) = (70, 1100, 300)
    let a = Tensor(uniform: [m, k], limit: 1, using: &random)
    let b = Tensor(uniform: [n, k], limit: 1, using: &random)
    func product(_ rows: Range<Int>, threads: Int) -> [Float] {
      let device = device(threads)
      var memory = Tensor(zeros: [PackedFactor.scalars(rows: k, columns: n, on: device)])
      let packed = PackedFactor(.transposed(b.matrix), in: memory.mutablePointer(), on: device)
      var c = Tensor(zeros: [rows.count, n])
      packed.multiply(a.matrix.rows(rows), into: c.mutableMatrix(), adds: false, on: device)
      return withExtendedLifetime(memory) { c.scalars }
    }
    let all = product(0..<m, threads: 1)
    #expect(all == product(0..<m, threads: 3))
    #expect(Array(all[13 * n..<50 * n]) == product(13..<50, threads: 1))
  }
}
