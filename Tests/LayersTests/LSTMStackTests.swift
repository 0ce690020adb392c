import Kernels
import Layers
import Support
import Tensors
import TestSupport
import Testing

@Suite struct LSTMStackTests {
  /// Step by step is what all steps at once are, between layers dropped the same.
  @Test(arguments: [1, 2, 3], [0, 0.5] as [Float]) func stepsAgreeWithTheWhole(count: Int, rate: Float) {
    var random = Random(seed: 17)
    let stack = LSTMStack("lstm", inputs: 5, hidden: 7, layers: count) { $0.untrained(using: &random) }
    let (captions, images) = (LSTMTests.captions, LSTMTests.images)
    let x = Tensor(uniform: [captions.positions, 5], limit: 2, using: &random)
    let injected = Tensor(uniform: [images, 28], limit: 2, using: &random)
    let masks = (1..<count).map { Dropout(rate: rate, seed: UInt64($0)) }
    var trace = LSTMStack.Trace()
    stack.forward(
      captions, x.pointer, injected: injected.pointer, images: images, injection: .everyStep,
      dropout: masks, into: &trace)

    var h = Array(repeating: Tensor(zeros: [captions.count, 7]), count: count)
    var (c, scratch) = (h, Tensor(uninitialized: [captions.count, 7]))
    var (sums, gates) = (
      Tensor(uninitialized: [captions.count, 28]), Tensor(uninitialized: [captions.count, 28])
    )
    var position = 0
    for live in captions.batchSizes {
      let (hBefore, cBefore) = (h, c)
      stack.layers[0].inputSums(rows: live, x.pointer + position * 5, into: sums.mutablePointer())
      captions.imageRows.withUnsafeBufferPointer { imageRows in
        stack.step(
          rows: live, input: GateSums(sums.pointer),
          injected: GateSums(injected.pointer, rows: imageRows.baseAddress),
          before: position == 0
            ? nil
            : h.indices.map {
              LSTMStates(rows: live, h: hBefore[$0].pointer, c: cBefore[$0].pointer)
            },
          scratch: (sums.mutablePointer(), gates.mutablePointer()),
          h: h.indices.map { h[$0].mutablePointer() }, c: c.indices.map { c[$0].mutablePointer() },
          dropout: (masks, position, scratch.mutablePointer()))
      }
      let whole = (0..<live * 7).map { trace.hiddenStates[position * 7 + $0] }
      #expect(relativeError(whole, Array(h[count - 1].scalars[..<(live * 7)])) < 1e-6, "position \(position)")
      position += live
    }
  }

  /// The image reaches the upper layers through the lowest one only.
  @Test func upperLayersSeeNoImage() {
    var random = Random(seed: 18)
    var stack = LSTMStack("lstm", inputs: 5, hidden: 7, layers: 2) { $0.untrained(using: &random) }
    stack.layers[1].inputWeight.value = Tensor(zeros: [28, 7])
    let x = Tensor(uniform: [10, 5], limit: 2, using: &random)
    func hidden(_ injected: Tensor) -> [Float] {
      var trace = LSTMStack.Trace()
      stack.forward(
        LSTMTests.captions, x.pointer, injected: injected.pointer, images: 4, injection: .everyStep,
        into: &trace)
      return withExtendedLifetime(trace) { (0..<70).map { trace.hiddenStates[$0] } }
    }
    #expect(hidden(Tensor(zeros: [4, 28])) == hidden(Tensor(repeating: 1, [4, 28])))
  }
}
