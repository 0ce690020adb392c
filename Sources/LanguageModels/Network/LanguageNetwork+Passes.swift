internal import Decoding
internal import Kernels
internal import Layers
internal import Support

/// What a pass over a chunk keeps; kept between chunks, so that its memory is used again.
struct LanguageTrace<Cell: RecurrentCell>: Sendable {
  /// [P, E]: what the lowest layer reads of an embedding, and its gradient.
  fileprivate var inputs = Buffer()
  fileprivate var inputGradients = Buffer()
  /// [P, H].
  fileprivate var hiddenGradients = Buffer()
  fileprivate var stack = RecurrentStack<Cell>.Trace()
  fileprivate var output = SoftmaxProjection.Trace()

  /// What a layer computed at P positions in the last pass: its states [P, H], h first, and its gates [P, G·H].
  func record(
    ofLayer layer: Int, positions: Int, hidden: Int
  ) -> (states: [Matrix], gates: Matrix) {
    stack.record(ofLayer: layer, positions: positions, hidden: hidden)
  }
}

/// What a training step does to a chunk.
struct LanguagePass {
  /// What is dropped, and the seed that names the masks.
  var dropout = DropoutPass.none
  /// Whether the loss is the chunk's sum; else its mean.
  var isSummed = false
}

extension LanguageNetwork {
  /// Reads a chunk.
  /// - Parameter states: what its streams begin with; what they end with afterwards.
  /// - Returns: ln p of the target of each position [P].
  func logProbabilities(
    _ chunk: PackedSequences, carrying states: inout CarriedStates<Cell>,
    trace: inout LanguageTrace<Cell>, on device: Device
  ) -> [Float] {
    let h = read(chunk, under: nil, carrying: &states, trace: &trace, on: device)
    return output.forward(h, targets: chunk.targets, trace: &trace.output, on: device)
  }

  /// The same, then backwards to the beginning of the chunk: writes the gradient of every parameter.
  mutating func learn(
    _ chunk: PackedSequences, _ pass: LanguagePass, carrying states: inout CarriedStates<Cell>,
    trace: inout LanguageTrace<Cell>, on device: Device
  ) -> [Float] {
    let positions = chunk.positions
    let masks = LanguageMasks(pass.dropout, layers: stack.layers.count)
    let h = read(chunk, under: masks, carrying: &states, trace: &trace, on: device)
    let dh = trace.hiddenGradients.reserve(positions, stack.hidden)
    let logProbabilities = output.forwardBackward(
      h, targets: chunk.targets, dropout: masks.output,
      gradient: CrossEntropyGradient(scale: pass.isSummed ? 1 : 1 / Float(positions)), dh: dh,
      trace: &trace.output, on: device)
    let x: any LayerInput =
      embedding == nil
      ? OneHot(chunk.inputs) : Matrix(trace.inputs.pointer, rows: positions, columns: inputs)
    // Which of V a token is has no gradient.
    let dx = embedding.map { _ in trace.inputGradients.reserve(positions, inputs) }
    stack.backward(chunk, x, dh: dh, dx: dx, trace: &trace.stack, on: device)
    if let dx {
      masks.input.apply(Matrix(dx), into: dx, on: device)
      chunk.inputs.withUnsafeBufferPointer { embedding?.backward($0.baseAddress!, Matrix(dx), on: device) }
    }
    return logProbabilities
  }

  /// Runs the recurrent layers: the top one's h [P, H].
  private func read(
    _ chunk: PackedSequences, under masks: LanguageMasks?, carrying states: inout CarriedStates<Cell>,
    trace: inout LanguageTrace<Cell>, on device: Device
  ) -> Matrix {
    let x = input(chunk.inputs, in: &trace.inputs, on: device)
    if embedding != nil {
      let embedded = trace.inputs.reserve(chunk.positions, inputs)
      masks?.input.apply(Matrix(embedded), into: embedded, on: device)
    }
    states.withCellStates {
      stack.forward(
        chunk, x, dropout: masks?.between ?? [], from: $0, into: &trace.stack, on: device)
    }
    states.take(chunk, from: trace.stack)
    return Matrix(trace.stack.hiddenStates, rows: chunk.positions, columns: stack.hidden)
  }
}

/// The masks of a training step; `between` layers there are none where nothing is dropped.
private struct LanguageMasks {
  let input, output: Dropout
  let between: [Dropout]

  init(_ pass: DropoutPass, layers: Int) {
    var random = Random(seed: pass.seed)
    func mask(_ rate: Float) -> Dropout { rate > 0 ? Dropout(rate: rate, seed: random.next()) : .none }
    input = mask(pass.rates.embedding)
    output = mask(pass.rates.output)
    between = pass.rates.layers > 0 ? (1..<layers).map { _ in mask(pass.rates.layers) } : []
  }
}
