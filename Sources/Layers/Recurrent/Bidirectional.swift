public import Kernels
public import Tensors

/// A layer that reads every sequence twice, from its beginning and from its end (Schuster & Paliwal 1997):
///
///     yₜ = [h of x₀ … xₜ, h of x_T … xₜ]
///
/// For sequences that are there as a whole: encoders and classifiers, not decoders.
public struct Bidirectional<Cell: RecurrentCell>: Module {
  /// Reads from the beginning: `path`.weight_xh and so on.
  public var fromBeginning: Recurrent<Cell>
  /// Reads from the end: `path`_reverse.weight_xh and so on.
  public var fromEnd: Recurrent<Cell>

  /// Two layers of H units, each of which begins as a `Recurrent` does.
  public init<E: Error>(
    _ path: String, inputs: Int, hidden: Int, from source: (ParameterSpecification) throws(E) -> Tensor
  ) throws(E) {
    fromBeginning = try Recurrent(path, inputs: inputs, hidden: hidden, from: source)
    fromEnd = try Recurrent(path + "_reverse", inputs: inputs, hidden: hidden, from: source)
  }

  /// H; y is twice as wide.
  public var hidden: Int { fromBeginning.hidden }

  /// Calls `visit` with each parameter, those that read from the beginning first.
  public mutating func visitParameters<E: Error>(_ visit: (inout Parameter) throws(E) -> Void) throws(E) {
    try fromBeginning.visitParameters(visit)
    try fromEnd.visitParameters(visit)
  }

  /// What the backward pass needs of a forward pass; kept between batches, so that its memory is used again.
  public struct Trace: Sendable {
    var fromBeginning = Recurrent<Cell>.Trace()
    var fromEnd = Recurrent<Cell>.Trace()
    // x in the order in which it is read from the end [P, E], and its gradient.
    var reversed = Buffer()
    var reversedGradient = Buffer()
    // δh of one direction [P, H].
    var hiddenGradient = Buffer()

    /// Nothing traced yet.
    public init() {}
  }

  /// Runs all time steps of both.
  /// - Parameters:
  ///   - x: [P, E].
  ///   - y: [P, 2H], overwritten.
  public func forward(
    _ sequences: PackedSequences, _ x: Matrix, into y: MutableMatrix, trace: inout Trace, on device: Device
  ) {
    let positions = sequences.positions
    let order = sequences.reversed
    fromBeginning.forward(sequences, x, into: &trace.fromBeginning, on: device)
    let ahead = y.columns(0..<hidden)
    for row in 0..<positions {
      ahead[row].update(from: trace.fromBeginning.hiddenStates + row * hidden, count: hidden)
    }
    let reversed = trace.reversed.reserve(positions, x.columns)
    gatherRows(order, of: x, into: reversed, on: device)
    fromEnd.forward(sequences, Matrix(reversed), into: &trace.fromEnd, on: device)
    gatherRows(
      order, of: Matrix(trace.fromEnd.hiddenStates, rows: positions, columns: hidden),
      into: y.columns(hidden..<2 * hidden), on: device)
  }

  /// Runs all time steps of both backwards and writes the gradients of all weights.
  /// - Parameters:
  ///   - x: [P, E], as in the forward pass.
  ///   - dy: [P, 2H].
  ///   - dx: [P, E], overwritten with the gradient of x.
  public mutating func backward(
    _ sequences: PackedSequences, _ x: Matrix, _ dy: Matrix, into dx: MutableMatrix, trace: inout Trace,
    on device: Device
  ) {
    let positions = sequences.positions
    let order = sequences.reversed
    let dh = trace.hiddenGradient.reserve(positions, hidden)
    for row in 0..<positions { dh[row].update(from: dy[row], count: hidden) }
    fromBeginning.backward(sequences, x, dh: dh, dx: dx, trace: &trace.fromBeginning, on: device)
    gatherRows(order, of: dy.columns(hidden..<2 * hidden), into: dh, on: device)
    let reversed = trace.reversed.reserve(positions, x.columns)
    let gradient = trace.reversedGradient.reserve(positions, x.columns)
    fromEnd.backward(
      sequences, Matrix(reversed), dh: dh, dx: gradient, trace: &trace.fromEnd, on: device)
    // Back in the order of x, in memory that is used up.
    gatherRows(order, of: Matrix(gradient), into: reversed, on: device)
    addRows(Matrix(reversed), to: dx, on: device)
  }
}

/// Bidirectional layers on top of each other: layer 0 reads x, every other both directions of the one below, under dropout
/// in training. Not of cells that read x itself, whose input is as wide as h.
public struct BidirectionalStack<Cell: RecurrentCell>: Module {
  /// From the bottom up; at least one.
  public var layers: [Bidirectional<Cell>]

  /// `count` layers of 2·H units: the parameters of layer 0 begin with `path`, of layer 1 with `path`1, and so on.
  public init<E: Error>(
    _ path: String, inputs: Int, hidden: Int, layers count: Int,
    from source: (ParameterSpecification) throws(E) -> Tensor
  ) throws(E) {
    precondition(count > 0, "\(count) layers")
    layers = [try Bidirectional(path, inputs: inputs, hidden: hidden, from: source)]
    for layer in 1..<max(1, count) {
      layers.append(try Bidirectional("\(path)\(layer)", inputs: 2 * hidden, hidden: hidden, from: source))
    }
  }

  /// H; what a layer passes on is twice as wide.
  public var hidden: Int { layers[0].hidden }

  /// Calls `visit` with each parameter, layer by layer.
  public mutating func visitParameters<E: Error>(_ visit: (inout Parameter) throws(E) -> Void) throws(E) {
    for layer in layers.indices { try layers[layer].visitParameters(visit) }
  }

  /// What the backward pass needs of a forward pass; kept between batches, so that its memory is used again.
  public struct Trace: Sendable {
    fileprivate var layers: [Bidirectional<Cell>.Trace] = []
    // [P, 2H]: what each layer but the top one passes on, under dropout, and its gradient.
    fileprivate var inputs: [Buffer] = []
    fileprivate var inputGradients: [Buffer] = []
    fileprivate var dropout: [Dropout] = []

    /// Nothing traced yet.
    public init() {}
  }

  /// Runs all time steps of all layers.
  /// - Parameters:
  ///   - x: [P, E].
  ///   - dropout: of what each layer but the first reads; empty: none.
  ///   - y: [P, 2H], overwritten with what the top layer passes on.
  public func forward(
    _ sequences: PackedSequences, _ x: Matrix, dropout: [Dropout] = [], into y: MutableMatrix,
    trace: inout Trace, on device: Device
  ) {
    let top = layers.count - 1
    if trace.layers.count != layers.count {
      trace.layers = Array(repeating: Bidirectional<Cell>.Trace(), count: layers.count)
      trace.inputs = Array(repeating: Buffer(), count: top)
      trace.inputGradients = trace.inputs
    }
    trace.dropout = dropout.isEmpty ? Array(repeating: .none, count: top) : dropout
    precondition(trace.dropout.count == top, "\(dropout.count) dropouts between \(layers.count) layers")
    var x = x
    for layer in layers.indices {
      let output = layer == top ? y : trace.inputs[layer].reserve(sequences.positions, 2 * hidden)
      layers[layer].forward(sequences, x, into: output, trace: &trace.layers[layer], on: device)
      if layer < top { trace.dropout[layer].apply(Matrix(output), into: output, on: device) }
      x = Matrix(output)
    }
  }

  /// Runs all time steps backwards and writes the gradients of all weights.
  /// - Parameters:
  ///   - x: [P, E], as in the forward pass.
  ///   - dy: [P, 2H].
  ///   - dx: [P, E], overwritten with the gradient of x.
  public mutating func backward(
    _ sequences: PackedSequences, _ x: Matrix, _ dy: Matrix, into dx: MutableMatrix, trace: inout Trace,
    on device: Device
  ) {
    var dy = dy
    for layer in layers.indices.reversed() {
      guard layer > 0 else {
        return layers[0].backward(sequences, x, dy, into: dx, trace: &trace.layers[0], on: device)
      }
      let input = trace.inputs[layer - 1].reserve(sequences.positions, 2 * hidden)
      let gradient = trace.inputGradients[layer - 1].reserve(sequences.positions, 2 * hidden)
      layers[layer].backward(
        sequences, Matrix(input), dy, into: gradient, trace: &trace.layers[layer], on: device)
      trace.dropout[layer - 1].apply(Matrix(gradient), into: gradient, on: device)
      dy = Matrix(gradient)
    }
  }
}
