import Support
import Tensors
import TestSupport
import Testing

@testable import Kernels

@Suite struct ColumnsTests {
  /// Indices that come again and such that never come, of few and of many columns, on any number of threads: what the
  /// products with rows of ones and zeros are.
  @Test(arguments: [(1, 1, 1), (25, 100, 40), (300, 300, 7), (40, 17, 500)] as [(Int, Int, Int)], [1, 3])
  func areProductsWithOnes(size: (rows: Int, k: Int, e: Int), threads: Int) {
    let (rows, k, e) = size
    var random = Random(seed: 6)
    let indices = (0..<rows).map { _ in Int32(random.next() % UInt64(e)) }
    var ones = Tensor(zeros: [rows, e])
    for (row, index) in indices.enumerated() { ones.mutableMatrix()[row][Int(index)] = 1 }
    // W and δW are parts of wider matrices.
    let weight = Tensor(uniform: [k, e + 2], limit: 1, using: &random)
    let matrix = Matrix(weight.pointer, rows: k, columns: e, stride: e + 2)
    let dy = Tensor(uniform: [rows, k + 1], limit: 1, using: &random)
    let gradient = Matrix(dy.pointer, rows: rows, columns: k, stride: k + 1)
    let device = device(threads)

    var (y, expected) = (Tensor(repeating: .nan, [rows, k]), Tensor(zeros: [rows, k]))
    gatherColumns(indices, of: matrix, into: y.mutableMatrix(), on: device)
    multiply(.plain(ones.matrix), .transposed(matrix), into: expected.mutableMatrix(), on: device)
    #expect(y == expected)

    var (dW, product) = (Tensor(repeating: .nan, [k, e]), Tensor(zeros: [k, e]))
    scatterAddColumns(gradient, to: indices, into: dW.mutableMatrix(), on: device)
    multiply(.transposed(gradient), .plain(ones.matrix), into: product.mutableMatrix(), on: device)
    #expect(relativeError(dW, product) < 1e-6)
    withExtendedLifetime((weight, dy, ones)) {}
  }
}
