import Kernels
import Layers
import Support
import Tensors

/// Many to many: a label for every step of a sequence of vectors.
struct SequenceLabeller: Module {
  var layer: Recurrent<RNN>
  var output: SoftmaxProjection

  init(inputs: Int, hidden: Int, labels: Int, seed: UInt64 = 1) {
    var random = Random(seed: seed)
    layer = Recurrent("rnn", inputs: inputs, hidden: hidden) { $0.untrained(using: &random) }
    output = SoftmaxProjection("output", hidden: hidden, vocabularySize: labels) {
      $0.untrained(using: &random)
    }
  }

  mutating func visitParameters<E: Error>(_ visit: (inout Parameter) throws(E) -> Void) throws(E) {
    try layer.visitParameters(visit)
    try output.visitParameters(visit)
  }

  /// The gradients of the mean loss, and the loss, of sequences of vectors, each with a label.
  mutating func learn(_ padded: Tensor, lengths: [Int], labels: [[Int32]]) -> Double {
    let (sequences, order) = PackedSequences.packing(lengths: lengths)
    let x = sequences.packed(padded, order: order, on: .cpu)
    var trace = Recurrent<RNN>.Trace()
    layer.forward(sequences, x.matrix, into: &trace, on: .cpu)
    let positions = sequences.positions
    var (dh, outputTrace) = (Tensor(uninitialized: [positions, layer.hidden]), SoftmaxProjection.Trace())
    let logProbs = output.forwardBackward(
      Matrix(trace.hiddenStates, rows: positions, columns: layer.hidden),
      targets: sequences.steps.flatMap { step in order[..<step.rows].map { labels[$0][step.index] } },
      dropout: .none, gradient: CrossEntropyGradient(scale: 1 / Float(positions)), dh: dh.mutableMatrix(),
      trace: &outputTrace, on: .cpu)
    layer.backward(sequences, x.matrix, dh: dh.mutableMatrix(), dx: nil, trace: &trace, on: .cpu)
    return withExtendedLifetime((x, dh)) {
      -logProbs.reduce(0) { $0 + Double($1) } / Double(positions)
    }
  }

  /// The likeliest label of every step.
  func labels(of padded: Tensor, lengths: [Int]) -> [[Int]] {
    let (sequences, order) = PackedSequences.packing(lengths: lengths)
    let x = sequences.packed(padded, order: order, on: .cpu)
    var trace = Recurrent<RNN>.Trace()
    layer.forward(sequences, x.matrix, into: &trace, on: .cpu)
    var logits = Tensor(uninitialized: [sequences.positions, output.linear.outputs])
    output.linear.forward(
      Matrix(trace.hiddenStates, rows: sequences.positions, columns: layer.hidden),
      into: logits.mutableMatrix(), on: .cpu)
    withExtendedLifetime((x, trace)) {}
    let steps = sequences.padded(logits, order: order, on: .cpu)
    return lengths.indices.map { sequence in
      (0..<lengths[sequence]).map { t in
        let scores = steps.row(sequence).row(t).scalars
        return scores.indices.max { scores[$0] < scores[$1] } ?? 0
      }
    }
  }
}
