import Tensors
import Testing

@Suite struct TensorTests {
  @Test func copiesOnWrite() {
    let a = Tensor([1, 2, 3, 4], [2, 2])
    var b = a
    b[0] = 9
    #expect(a.scalars == [1, 2, 3, 4])
    #expect(b.scalars == [9, 2, 3, 4])
  }

  @Test func rowsShareAndThenPart() {
    let a = Tensor([1, 2, 3, 4, 5, 6], [3, 2])
    var row = a.row(1)
    #expect(row.shape == [2])
    #expect(row.scalars == [3, 4])
    row[1] = 0
    #expect(a.scalars == [1, 2, 3, 4, 5, 6])
    #expect(row.scalars == [3, 0])
  }

  @Test func emptyTensorsAreHarmless() {
    var empty = Tensor([], [0, 5])
    #expect(empty.scalars.isEmpty)
    empty.withUnsafeMutableBufferPointer { #expect($0.isEmpty) }
  }
}
