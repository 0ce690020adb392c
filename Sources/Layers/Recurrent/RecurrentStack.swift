public import Kernels
public import Tensors

/// Recurrent layers on top of each other (Graves 2013): layer 0 reads x, every other the h of the one below, under
/// dropout in training (Zaremba et al. 2014: between layers, never between time steps). Residual layers above the first
/// pass on h + what they read (Wu et al. 2016).
///
/// A context enters one layer, the lowest unless told otherwise: what it adds there reaches those above as h.
public struct RecurrentStack<Cell: RecurrentCell>: Module {
  /// From the bottom up; at least one.
  public var layers: [Recurrent<Cell>]
  /// The layer that a context enters.
  public let contextLayer: Int
  /// Whether layers above the first pass on h + what they read, not h alone.
  public let isResidual: Bool

  /// `count` layers of H units: the parameters of layer 0 begin with `path`, as those of a single layer do, of layer 1
  /// with `path`1, and so on.
  public init<E: Error>(
    _ path: String, inputs: Int, hidden: Int, layers count: Int = 1, contextLayer: Int = 0,
    isResidual: Bool = false, from source: (ParameterSpecification) throws(E) -> Tensor
  ) throws(E) {
    precondition(count > 0, "\(count) layers")
    precondition((0..<count).contains(contextLayer), "layer \(contextLayer) of \(count)")
    self.contextLayer = contextLayer
    self.isResidual = isResidual
    layers = [try Recurrent(path, inputs: inputs, hidden: hidden, from: source)]
    for layer in 1..<max(1, count) {
      layers.append(try Recurrent("\(path)\(layer)", inputs: hidden, hidden: hidden, from: source))
    }
  }

  /// H.
  public var hidden: Int { layers[0].hidden }

  /// Calls `visit` with each parameter, layer by layer.
  public mutating func visitParameters<E: Error>(_ visit: (inout Parameter) throws(E) -> Void) throws(E) {
    for layer in layers.indices { try layers[layer].visitParameters(visit) }
  }

  /// What the backward pass needs of a forward pass; kept between batches, so that its memory is used again.
  public struct Trace: Sendable {
    fileprivate var layers: [Recurrent<Cell>.Trace] = []
    // Of every layer but the first, [P, H]: what it reads, and the gradient of the h it is made from.
    fileprivate var inputs: [Buffer] = []
    fileprivate var inputGradients: [Buffer] = []
    fileprivate var dropout: [Dropout] = []
    // Of residual layers, [P, H]: what the top one passes on, and the gradient of what one passes on.
    fileprivate var output = Buffer()
    fileprivate var outputGradient = Buffer()
    fileprivate var isResidual = false

    /// Nothing traced yet.
    public init() {}

    /// The gradients of the states [B, H] that the first step of a layer went on from, after a backward pass; h first.
    public func initialGradients(_ layer: Int, _ sequences: Int, hidden: Int) -> [Matrix] {
      layers[layer].initialGradients(sequences, hidden: hidden)
    }

    /// What a layer computed at P positions in a forward pass, as `Recurrent.Trace.record` has it.
    public func record(
      ofLayer layer: Int, positions: Int, hidden: Int
    ) -> (states: [Matrix], gates: Matrix) { layers[layer].record(positions: positions, hidden: hidden) }

    /// What the top layer passes on at every position [P, H], after a forward pass: h, usually.
    public var hiddenStates: UnsafePointer<Float> {
      isResidual ? output.pointer : layers[layers.count - 1].hiddenStates
    }

    fileprivate mutating func prepare(layers count: Int, _ dropout: [Dropout]) {
      if layers.count != count {
        layers = Array(repeating: Recurrent<Cell>.Trace(), count: count)
        inputs = Array(repeating: Buffer(), count: count - 1)
        inputGradients = inputs
      }
      self.dropout = dropout.isEmpty ? Array(repeating: .none, count: count - 1) : dropout
      precondition(self.dropout.count == count - 1, "\(dropout.count) dropouts between \(count) layers")
    }
  }

  /// Runs all time steps of all layers.
  /// - Parameters:
  ///   - x: [P, E].
  ///   - dropout: of what each layer but the first reads; empty: none.
  ///   - initial: the states that the sequences begin with, layer by layer; nil: zero.
  ///   - context: as `Recurrent.forward` has it, of the layer that it enters.
  public func forward(
    _ sequences: PackedSequences, _ x: some LayerInput, dropout: [Dropout] = [],
    from initial: [CellStates]? = nil, into trace: inout Trace, on device: Device,
    context: (_ step: PackedStep, _ hidden: Matrix?) -> SharedRows? = { _, _ in nil }
  ) {
    let positions = sequences.positions
    trace.prepare(layers: layers.count, dropout)
    trace.isResidual = isResidual && layers.count > 1
    // What a layer above the first reads.
    var below: Matrix?
    for layer in layers.indices {
      let input: any LayerInput = below ?? x
      layers[layer].forward(
        sequences, input, from: initial?[layer], into: &trace.layers[layer], on: device
      ) { layer == contextLayer ? context($0, $1) : nil }
      var output = Matrix(trace.layers[layer].hiddenStates, rows: positions, columns: hidden)
      if isResidual, let below {
        let sum = trace.output.reserve(positions, hidden)
        sum.base.update(from: output.base, count: positions * hidden)
        addRows(below, to: sum, on: device)
        output = Matrix(sum)
      }
      guard layer + 1 < layers.count else { break }
      let next = trace.inputs[layer].reserve(positions, hidden)
      trace.dropout[layer].apply(output, into: next, on: device)
      below = Matrix(next)
    }
  }

  /// Runs all time steps backwards and writes the gradients of all layers' weights.
  /// - Parameters:
  ///   - x: [P, E], as in the forward pass.
  ///   - dh: [P, H], the gradient that reaches the top layer's h from above; overwritten.
  ///   - dx: [P, E], overwritten with the gradient of x; nil: nobody wants it.
  ///   - context: as `Recurrent.backward` has it, of the layer that it enters.
  /// - Returns: the gradients of the sums [P, G·H] of that layer, which the trace holds until its next pass.
  @discardableResult
  public mutating func backward(
    _ sequences: PackedSequences, _ x: some LayerInput, dh: MutableMatrix, dx: MutableMatrix?,
    trace: inout Trace, on device: Device,
    context: (_ step: PackedStep, _ sums: Matrix, _ hidden: MutableMatrix?) -> Void = { _, _, _ in }
  ) -> Matrix {
    let positions = sequences.positions
    var dh = dh
    var entered: Matrix?
    for layer in layers.indices.reversed() {
      let below = layer == 0 ? dx : trace.inputGradients[layer - 1].reserve(positions, hidden)
      let input: any LayerInput =
        layer == 0 ? x : Matrix(trace.inputs[layer - 1].pointer, rows: positions, columns: hidden)
      let passedOn = trace.outputGradient.reserve(isResidual && layer > 0 ? positions : 0, hidden)
      passedOn.base.update(from: dh.base, count: passedOn.rows * hidden)
      let sums = layers[layer].backward(
        sequences, input, dh: dh, dx: below, trace: &trace.layers[layer], on: device
      ) { if layer == contextLayer { context($0, $1, $2) } }
      if layer == contextLayer { entered = sums }
      guard layer > 0, let below else { break }
      if isResidual { addRows(Matrix(passedOn), to: below, on: device) }
      trace.dropout[layer - 1].apply(Matrix(below), into: below, on: device)
      dh = below
    }
    return entered!
  }

  /// One step of inference, in which the states go from before to after.
  /// - Parameters:
  ///   - input: layer 0's W_xh x + b, as its `inputSums` makes them.
  ///   - dropout: as in `forward`, where its row `firstRow` is row 0 here; no masks: none.
  ///   - context: what is added to the sums of the layer that it enters, given the h that its rows go on from, nil at the
  ///     first step; nil where nothing is added.
  public func step(
    rows: Int, input: SharedRows, states: inout RecurrentStates<Cell>,
    dropout: (masks: [Dropout], firstRow: Int) = ([], 0), on device: Device,
    context: (_ hidden: SharedRows?) -> SharedRows? = { _ in nil }
  ) {
    states.advance(rows: rows, hidden: hidden, isResidual: isResidual) { layer, before, after, scratch in
      var layerInput = input
      let output = MutableMatrix(scratch.output, rows: rows, columns: hidden)
      var x = Matrix(layer > 1 && isResidual ? output : after[max(0, layer - 1)][0])
      if layer > 0 {
        if !dropout.masks.isEmpty {
          let dropped = MutableMatrix(scratch.dropped, rows: rows, columns: hidden)
          dropout.masks[layer - 1].apply(x, into: dropped, firstRow: dropout.firstRow, on: device)
          x = Matrix(dropped)
        }
        let sums = MutableMatrix(scratch.sums, rows: rows, columns: layers[layer].sums)
        layers[layer].inputSums(x, into: sums, on: device)
        layerInput = SharedRows(Matrix(sums))
      }
      layers[layer].step(
        input: layerInput,
        context: layer == contextLayer ? context(before?[layer].hidden) : nil,
        before: before?[layer], into: after[layer], scratch: scratch.cell, on: device)
      if layer > 0 && isResidual {
        if UnsafePointer(output.base) != x.base {
          output.base.update(from: x.base, count: rows * hidden)
        }
        addRows(Matrix(after[layer][0]), to: output, on: device)
      }
    }
  }
}
