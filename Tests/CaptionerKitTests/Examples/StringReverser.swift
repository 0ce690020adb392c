import Kernels
import Layers
import Support
import Tensors

/// Sequence to sequence: one layer reads a string, another begins with what it ends with and says the string backwards (Cho
/// et al. 2014).
struct StringReverser: Module {
  /// What the decoder reads first, and what ends a string; letters are 2 and more.
  static let (start, end): (Int32, Int32) = (0, 1)

  var letters, spoken: Embedding
  var encoder, decoder: RecurrentStack<GRU>
  var output: SoftmaxProjection

  init(vocabularySize: Int, size: Int = 16, hidden: Int, seed: UInt64 = 1) {
    var random = Random(seed: seed)
    func untrained(_ asked: ParameterSpecification) -> Tensor { asked.untrained(using: &random) }
    letters = Embedding("letters", vocabularySize: vocabularySize, size: size, from: untrained)
    spoken = Embedding("spoken", vocabularySize: vocabularySize, size: size, from: untrained)
    encoder = RecurrentStack("encoder", inputs: size, hidden: hidden, from: untrained)
    decoder = RecurrentStack("decoder", inputs: size, hidden: hidden, from: untrained)
    output = SoftmaxProjection("output", hidden: hidden, vocabularySize: vocabularySize, from: untrained)
  }

  mutating func visitParameters<E: Error>(_ visit: (inout Parameter) throws(E) -> Void) throws(E) {
    try letters.visitParameters(visit)
    try spoken.visitParameters(visit)
    try encoder.visitParameters(visit)
    try decoder.visitParameters(visit)
    try output.visitParameters(visit)
  }

  private static func packed(_ strings: [[Int32]]) -> (sequences: PackedSequences, order: [Int]) {
    PackedSequences.packing(strings, imageRows: strings.map { _ in 0 }, start: start, end: end)
  }

  /// x [P, E] of each position.
  private func inputs(_ sequences: PackedSequences, _ embedding: Embedding) -> Tensor {
    var x = Tensor(uninitialized: [sequences.positions, embedding.size])
    embedding.forward(sequences.inputs, into: x.mutableMatrix(), on: .cpu)
    return x
  }

  /// The gradients of the mean loss of strings and of what is to be said, as long as they are, and the loss.
  mutating func learn(_ strings: [[Int32]]) -> Double {
    let read = Self.packed(strings).sequences
    let said = Self.packed(strings.map { $0.reversed() }).sequences
    let (x, y) = (inputs(read, letters), inputs(said, spoken))
    var (encoded, decoded) = (RecurrentStack<GRU>.Trace(), RecurrentStack<GRU>.Trace())
    encoder.forward(read, x.matrix, into: &encoded, on: .cpu)
    // Strings and their reverses are as long: sequence b here is sequence b there.
    let last = read.lastPositions
    let h = Matrix(encoded.hiddenStates, rows: read.positions, columns: encoder.hidden)
    last.withUnsafeBufferPointer { last in
      decoder.forward(
        said, y.matrix, from: [CellStates([h], rows: last.baseAddress)], into: &decoded, on: .cpu)
    }
    var (dh, outputTrace) = (
      Tensor(uninitialized: [said.positions, decoder.hidden]), SoftmaxProjection.Trace()
    )
    let logProbs = output.forwardBackward(
      Matrix(decoded.hiddenStates, rows: said.positions, columns: decoder.hidden), targets: said.targets,
      dropout: .none, gradient: CrossEntropyGradient(scale: 1 / Float(said.positions)),
      dh: dh.mutableMatrix(), trace: &outputTrace, on: .cpu)
    var dy = Tensor(uninitialized: y.shape)
    decoder.backward(
      said, y.matrix, dh: dh.mutableMatrix(), dx: dy.mutableMatrix(), trace: &decoded, on: .cpu)
    spoken.backward(said.inputs, dy.matrix, on: .cpu)
    // What the decoder wants of the state that it began with is all that the encoder learns from.
    var dEncoded = Tensor(uninitialized: [read.positions, encoder.hidden])
    let initial = decoded.initialGradients(0, said.count, hidden: decoder.hidden)[0]
    scatterAdd(initial, to: last, into: dEncoded.mutableMatrix(), on: .cpu)
    var dx = Tensor(uninitialized: x.shape)
    encoder.backward(
      read, x.matrix, dh: dEncoded.mutableMatrix(), dx: dx.mutableMatrix(), trace: &encoded, on: .cpu)
    letters.backward(read.inputs, dx.matrix, on: .cpu)
    return withExtendedLifetime((x, y, dh, dEncoded, dx, dy, encoded)) {
      -logProbs.reduce(0) { $0 + Double($1) } / Double(said.positions)
    }
  }

  /// What it says of a string, the likeliest letter at each step.
  func answer(_ string: [Int32]) -> [Int32] {
    let read = Self.packed([string]).sequences
    let x = inputs(read, letters)
    var encoded = RecurrentStack<GRU>.Trace()
    encoder.forward(read, x.matrix, into: &encoded, on: .cpu)
    var states = RecurrentStates<GRU>(layers: 1)
    let h = Matrix(encoded.hiddenStates, rows: read.positions, columns: encoder.hidden)
    states.begin(from: [[h]], rows: read.lastPositions)
    withExtendedLifetime((x, encoded)) {}
    var (answer, letter): ([Int32], Int32) = ([], Self.start)
    var (input, sums, logits) = (
      Tensor(uninitialized: [1, spoken.size]), Tensor(uninitialized: [1, decoder.layers[0].sums]),
      Tensor(uninitialized: [1, output.linear.outputs])
    )
    while answer.count <= 2 * string.count {
      spoken.forward([letter], into: input.mutableMatrix(), on: .cpu)
      decoder.layers[0].inputSums(input.matrix, into: sums.mutableMatrix(), on: .cpu)
      decoder.step(rows: 1, input: SharedRows(sums.matrix), states: &states, on: .cpu)
      output.linear.forward(states.top, into: logits.mutableMatrix(), on: .cpu)
      let scores = logits.scalars
      letter = Int32(scores.indices.max { scores[$0] < scores[$1] } ?? 0)
      if letter == Self.end { break }
      answer.append(letter)
    }
    return answer
  }
}
