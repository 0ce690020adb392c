public import Kernels
public import Tensors

/// Recurrent layers on top of each other (Graves 2013): layer 0 reads x, every other the h of the one below, under
/// dropout in training (Zaremba et al. 2014: between layers, never between time steps). Residual layers above the first
/// pass on h + what they read (Wu et al. 2016).
///
/// A context enters layer 0 alone: what it adds there reaches the others as h.
public struct RecurrentStack<Cell: RecurrentCell>: Module {
  /// From the bottom up; at least one.
  public var layers: [Recurrent<Cell>]
  /// Whether layers above the first pass on h + what they read, not h alone.
  public let isResidual: Bool

  /// `count` layers of H units: the parameters of layer 0 begin with `path`, as those of a single layer do, of layer 1
  /// with `path`1, and so on.
  public init<E: Error>(
    _ path: String, inputs: Int, hidden: Int, layers count: Int = 1, isResidual: Bool = false,
    from source: (ParameterSpecification) throws(E) -> Tensor
  ) throws(E) {
    precondition(count > 0, "\(count) layers")
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
  ///   - context: as `Recurrent.forward` has it, of layer 0.
  public func forward(
    _ sequences: PackedSequences, _ x: Matrix, dropout: [Dropout] = [], into trace: inout Trace,
    on device: Device, context: (_ step: PackedStep, _ hidden: Matrix?) -> SharedRows? = { _, _ in nil }
  ) {
    let positions = sequences.positions
    trace.prepare(layers: layers.count, dropout)
    trace.isResidual = isResidual && layers.count > 1
    layers[0].forward(sequences, x, into: &trace.layers[0], on: device, context: context)
    var below = Matrix(trace.layers[0].hiddenStates, rows: positions, columns: hidden)
    for layer in layers.indices.dropFirst() {
      let input = trace.inputs[layer - 1].reserve(positions, hidden)
      trace.dropout[layer - 1].apply(below, into: input, on: device)
      layers[layer].forward(sequences, Matrix(input), into: &trace.layers[layer], on: device)
      below = Matrix(trace.layers[layer].hiddenStates, rows: positions, columns: hidden)
      if isResidual {
        let output = trace.output.reserve(positions, hidden)
        output.base.update(from: below.base, count: positions * hidden)
        addRows(Matrix(input), to: output, on: device)
        below = Matrix(output)
      }
    }
  }

  /// Runs all time steps backwards and writes the gradients of all layers' weights.
  /// - Parameters:
  ///   - x: [P, E], as in the forward pass.
  ///   - dh: [P, H], the gradient that reaches the top layer's h from above; overwritten.
  ///   - dx: [P, E], overwritten with the gradient of x.
  ///   - context: as `Recurrent.backward` has it, of layer 0.
  /// - Returns: the gradients of the sums of layer 0 [P, G·H], which the trace holds until its next pass.
  @discardableResult
  public mutating func backward(
    _ sequences: PackedSequences, _ x: Matrix, dh: MutableMatrix, dx: MutableMatrix, trace: inout Trace,
    on device: Device,
    context: (_ step: PackedStep, _ sums: Matrix, _ hidden: MutableMatrix?) -> Void = { _, _, _ in }
  ) -> Matrix {
    let positions = sequences.positions
    var dh = dh
    for layer in layers.indices.dropFirst().reversed() {
      let below = trace.inputGradients[layer - 1].reserve(positions, hidden)
      let passedOn = trace.outputGradient.reserve(isResidual ? positions : 0, hidden)
      passedOn.base.update(from: dh.base, count: passedOn.rows * hidden)
      layers[layer].backward(
        sequences, Matrix(trace.inputs[layer - 1].pointer, rows: positions, columns: hidden), dh: dh,
        dx: below, trace: &trace.layers[layer], on: device)
      if isResidual { addRows(Matrix(passedOn), to: below, on: device) }
      trace.dropout[layer - 1].apply(Matrix(below), into: below, on: device)
      dh = below
    }
    return layers[0].backward(
      sequences, x, dh: dh, dx: dx, trace: &trace.layers[0], on: device, context: context)
  }

  /// One step of inference, in which the states go from before to after.
  /// - Parameters:
  ///   - input: layer 0's W_xh x + b, as its `inputSums` makes them.
  ///   - dropout: as in `forward`, where its row `firstRow` is row 0 here; no masks: none.
  ///   - context: what is added to layer 0's sums, given the h that its rows go on from, nil at the first step; nil where
  ///     nothing is added.
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
        context: layer == 0 ? context(before.map { SharedRows($0.values[0], rows: $0.rows) }) : nil,
        before: before, into: after[layer], scratch: scratch.cell, on: device)
      if layer > 0 && isResidual {
        if UnsafePointer(output.base) != x.base {
          output.base.update(from: x.base, count: rows * hidden)
        }
        addRows(Matrix(after[layer][0]), to: output, on: device)
      }
    }
  }
}
