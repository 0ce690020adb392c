import Kernels
import Layers
import Support
import Tensors
import TestSupport
import Testing

@Suite struct LSTMTests {
  /// Lengths with a gap in them, one caption at the end alone, images out of order, one of them without caption.
  static let captions = PackedCaptions(
    inputs: Array(repeating: 1, count: 10), targets: Array(repeating: 1, count: 10),
    batchSizes: [4, 3, 1, 1, 1],
    imageRows: [2, 0, 2, 1])
  static let images = 4

  private static func tensor(_ shape: Shape, _ stream: UInt64) -> Tensor {
    var random = Random(seed: 3, stream: stream)
    return Tensor(uniform: shape, limit: 1, using: &random)
  }

  /// Σ h·δh over all positions.
  private static func loss(_ layer: LSTM, _ x: Tensor, _ injected: Tensor, _ dh: Tensor, _ way: Injection)
    -> Double
  {
    var trace = LSTM.Trace()
    layer.forward(
      captions, x.pointer, injected: injected.pointer, images: images, injection: way, into: &trace)
    return withExtendedLifetime(trace) {
      (0..<dh.count).reduce(0.0) { $0 + Double(trace.hiddenStates[$1]) * Double(dh[$1]) }
    }
  }

  @Test(arguments: Injection.allCases) func gradientsAreSlopes(way: Injection) throws {
    var random = Random(seed: 4)
    var layer = LSTM("lstm", inputs: 5, hidden: 7) { $0.untrained(using: &random) }
    let (x, injected) = (Self.tensor([10, 5], 1), Self.tensor([4, 28], 2))
    let dh = Self.tensor([10, 7], 3)
    var trace = LSTM.Trace()
    layer.forward(
      Self.captions, x.pointer, injected: injected.pointer, images: Self.images, injection: way,
      into: &trace)
    var (scratch, dx, dInjected) = (dh, Tensor(uninitialized: x.shape), Tensor(uninitialized: injected.shape))
    layer.backward(
      Self.captions, x.pointer, dh: scratch.mutablePointer(), dx: dx.mutablePointer(),
      dInjected: dInjected.mutablePointer(), images: Self.images, injection: way, trace: &trace)

    for (index, parameter) in layer.parameters.enumerated() {
      let error = gradientDisagreement(try #require(parameter.gradient), at: parameter.value) { value in
        var moved = layer
        var at = 0
        moved.visitParameters {
          if at == index { $0.value = value }
          at += 1
        }
        return Self.loss(moved, x, injected, dh, way)
      }
      #expect(error < 1e-3, "\(parameter.path)")
    }
    #expect(gradientDisagreement(dx, at: x) { Self.loss(layer, $0, injected, dh, way) } < 1e-3)
    #expect(gradientDisagreement(dInjected, at: injected) { Self.loss(layer, x, $0, dh, way) } < 1e-3)
    // No caption shows image 3.
    #expect(dInjected.row(3) == Tensor(zeros: [28]))
  }

  /// Captions in a batch do not touch each other: each gives what it gives alone.
  @Test func packingChangesNothing() {
    var random = Random(seed: 5)
    let layer = LSTM("lstm", inputs: 5, hidden: 7) { $0.untrained(using: &random) }
    let (x, injected) = (Self.tensor([10, 5], 4), Self.tensor([4, 28], 5))
    var trace = LSTM.Trace()
    layer.forward(
      Self.captions, x.pointer, injected: injected.pointer, images: 4, injection: .everyStep, into: &trace)
    let caption = Self.captions.captionOfPosition
    for k in 0..<4 {
      let own = caption.indices.filter { caption[$0] == k }
      var (h, c) = (Tensor(zeros: [1, 7]), Tensor(zeros: [1, 7]))
      var (sums, scratch) = (Tensor(uninitialized: [1, 28]), Tensor(uninitialized: [1, 28]))
      for position in own {
        let (row, image) = (x.row(position), injected.row(Int(Self.captions.imageRows[k])))
        let (hBefore, cBefore) = (h, c)
        layer.inputSums(rows: 1, row.pointer, into: sums.mutablePointer())
        layer.step(
          rows: 1, input: GateSums(sums.pointer), injected: GateSums(image.pointer),
          before: LSTMStates(rows: 1, h: hBefore.pointer, c: cBefore.pointer),
          scratch: scratch.mutablePointer(), h: h.mutablePointer(), c: c.mutablePointer())
        let packed = (0..<7).map { trace.hiddenStates[position * 7 + $0] }
        #expect(relativeError(packed, h.scalars) < 1e-6)
      }
    }
  }

  @Test func forgetGatesBeginAsAsked() {
    var random = Random(seed: 6)
    for (bias, layer) in [
      (1, LSTM("lstm", inputs: 2, hidden: 3) { $0.untrained(using: &random) }),
      (-0.5, LSTM("lstm", inputs: 2, hidden: 3) { $0.untrained(using: &random, forgetBias: -0.5) }),
    ] as [(Float, LSTM)] {
      #expect(layer.bias.value.scalars == [0, 0, 0, bias, bias, bias, 0, 0, 0, 0, 0, 0])
    }
  }

  @Test func packsByLengthAndKeepsOrder() {
    let (captions, order) = PackedCaptions.packing(
      [[5], [6, 7, 8], [], [9, 10]], imageRows: [0, 1, 1, 2], start: 1, end: 2)
    #expect(order == [1, 3, 0, 2])
    #expect(captions.batchSizes == [4, 3, 2, 1])
    #expect(captions.inputs == [1, 1, 1, 1, 6, 9, 5, 7, 10, 8])
    #expect(captions.targets == [6, 9, 5, 2, 7, 10, 2, 8, 2, 2])
    #expect(captions.imageRows == [1, 2, 0, 1])
    #expect(captions.captionOfPosition == [0, 1, 2, 3, 0, 1, 2, 0, 1, 0])
    #expect(PackedCaptions.packing([], imageRows: [], start: 1, end: 2).captions.positions == 0)
  }
}
