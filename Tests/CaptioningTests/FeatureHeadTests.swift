import Kernels
import Tensors
import TestSupport
import Testing

@testable import Captioning

@Suite struct FeatureHeadTests {
  /// torchvision's heads on the seeded weights and map of tools/golden/vgg.py.
  @Test(arguments: [("full", 100, 7, 2), ("compact1", 200, 2, 1), ("compact2", 200, 2, 2)])
  func agreesWithTorchvision(kind: String, stream: UInt64, side: Int, layers: Int) throws {
    let golden = try SafetensorsFile(path: fixture("vgg.safetensors"))
    var parameter: UInt64 = 0
    let head = FeatureHead(inputs: 512 * side * side, widths: [Int](repeating: 4096, count: layers)) {
      specification in
      var random = Random(seed: 1234, stream: stream, parameter)
      parameter += 1
      let shape = specification.shape
      let limit = shape.rank == 1 ? 0.1 : Float((6 / Double(shape[1])).squareRoot())
      return Tensor(uniform: shape, limit: limit, using: &random)
    }
    var random = Random(seed: 1234, stream: 100, 1000)
    let map = Tensor(uniform: [2, 7, 7, 512], limit: 1, using: &random)
    let v = head.forward(adaptiveAveragePool(map, side: side))
    try #require(v.shape == [2, 4096])
    let first = try golden.tensor(named: "head.\(kind).first")
    let (norm, sum) = (
      try golden.tensor(named: "head.\(kind).norm"), try golden.tensor(named: "head.\(kind).sum")
    )
    for row in 0..<2 {
      let scalars = v.row(row).scalars
      #expect(relativeError(Array(scalars.prefix(64)), first.row(row).scalars) < 2e-5)
      let squares = scalars.reduce(0.0) { $0 + Double($1) * Double($1) }
      #expect(abs(squares.squareRoot() / Double(norm[row]) - 1) < 2e-5)
      #expect(abs(scalars.reduce(0.0) { $0 + Double($1) } / Double(sum[row]) - 1) < 2e-5)
    }
  }
}
