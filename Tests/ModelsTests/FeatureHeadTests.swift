import Kernels
import Support
import Tensors
import TestSupport
import Testing

@testable import Models

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
    let v = head.forward(adaptiveAveragePool(map, side: side), on: .cpu)
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

  /// The gradient of the features, where what is before them learns; of none too, where they are v.
  @Test(arguments: [[9, 7], []]) func featuresHaveAGradient(widths: [Int]) {
    var random = Random(seed: 4)
    var head = FeatureHead(inputs: 12, widths: widths) { $0.untrained(using: &random) }
    let x = Tensor(uniform: [3, 12], limit: 1, using: &random)
    let dv = Tensor(uniform: [3, widths.last ?? 12], limit: 1, using: &random)
    var trace = FeatureHead.Trace()
    _ = head.trainingForward(x, dropout: 0, seed: 1, into: &trace, on: .cpu)
    var dx = Tensor(repeating: .nan, x.shape)
    head.backward(dv, &trace, into: dx.mutablePointer(), on: .cpu)
    let fixed = head
    let disagreement = gradientDisagreement(dx, at: x, step: 0.01) {
      zip(fixed.forward($0, on: .cpu).scalars, dv.scalars).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    }
    #expect(disagreement < 1e-2)
  }
}
