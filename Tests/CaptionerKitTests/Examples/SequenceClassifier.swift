import Kernels
import Layers
import Support
import Tensors

/// Many to one: which class a sequence of vectors is of.
struct SequenceClassifier: Module {
  var layer: Recurrent<LSTM>
  var output: SoftmaxProjection

  init(inputs: Int, hidden: Int, classes: Int, seed: UInt64 = 1) {
    var random = Random(seed: seed)
    layer = Recurrent("lstm", inputs: inputs, hidden: hidden) { $0.untrained(using: &random) }
    output = SoftmaxProjection("output", hidden: hidden, vocabularySize: classes) {
      $0.untrained(using: &random)
    }
  }

  mutating func visitParameters<E: Error>(_ visit: (inout Parameter) throws(E) -> Void) throws(E) {
    try layer.visitParameters(visit)
    try output.visitParameters(visit)
  }

  /// h after the last step of each sequence [N, H].
  private func last(_ sequences: PackedSequences, _ trace: Recurrent<LSTM>.Trace) -> Tensor {
    var last = Tensor(uninitialized: [sequences.count, layer.hidden])
    let h = Matrix(trace.hiddenStates, rows: sequences.positions, columns: layer.hidden)
    gatherRows(sequences.lastPositions, of: h, into: last.mutableMatrix(), on: .cpu)
    return last
  }

  /// The gradients of the mean loss, and the loss, of padded sequences [N, T, E] of so many steps each.
  mutating func learn(_ padded: Tensor, lengths: [Int], classes: [Int32]) -> Double {
    let (sequences, order) = PackedSequences.packing(lengths: lengths)
    let x = sequences.packed(padded, order: order, on: .cpu)
    var trace = Recurrent<LSTM>.Trace()
    layer.forward(sequences, x.matrix, into: &trace, on: .cpu)
    var (last, outputTrace) = (last(sequences, trace), SoftmaxProjection.Trace())
    let logProbs = output.forwardBackward(
      last.matrix, targets: order.map { classes[$0] }, dropout: .none,
      gradient: CrossEntropyGradient(scale: 1 / Float(lengths.count)), dh: last.mutableMatrix(),
      trace: &outputTrace, on: .cpu)
    // The loss is about the last step of each sequence alone.
    var dh = Tensor(uninitialized: [sequences.positions, layer.hidden])
    scatterAdd(last.matrix, to: sequences.lastPositions, into: dh.mutableMatrix(), on: .cpu)
    layer.backward(sequences, x.matrix, dh: dh.mutableMatrix(), dx: nil, trace: &trace, on: .cpu)
    return withExtendedLifetime((x, last, dh)) {
      -logProbs.reduce(0) { $0 + Double($1) } / Double(lengths.count)
    }
  }

  /// The likeliest class of each sequence.
  func classes(of padded: Tensor, lengths: [Int]) -> [Int] {
    let (sequences, order) = PackedSequences.packing(lengths: lengths)
    let x = sequences.packed(padded, order: order, on: .cpu)
    var trace = Recurrent<LSTM>.Trace()
    layer.forward(sequences, x.matrix, into: &trace, on: .cpu)
    let last = last(sequences, trace)
    var logits = Tensor(uninitialized: [lengths.count, output.linear.outputs])
    output.linear.forward(last.matrix, into: logits.mutableMatrix(), on: .cpu)
    withExtendedLifetime((x, last)) {}
    var classes = [Int](repeating: 0, count: lengths.count)
    for (row, sequence) in order.enumerated() {
      let scores = logits.row(row).scalars
      classes[sequence] = scores.indices.max { scores[$0] < scores[$1] } ?? 0
    }
    return classes
  }
}
