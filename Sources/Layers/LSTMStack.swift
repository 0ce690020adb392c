public import Kernels
public import Tensors

/// LSTMs on top of each other (Graves 2013): layer 0 reads x, every other the h of the one below, under dropout in
/// training (Zaremba et al. 2014: between layers, never between time steps).
///
/// The image enters layer 0 alone: what W_ih·v adds there reaches the others as h, and W_ih stays one matrix [4H, D].
public struct LSTMStack: Module {
  /// From the bottom up; at least one.
  public var layers: [LSTM]

  /// `count` layers of H units: the parameters of layer 0 begin with `path`, as those of a single LSTM do, of layer 1
  /// with `path`1, and so on.
  public init<E: Error>(
    _ path: String, inputs: Int, hidden: Int, layers count: Int = 1,
    from source: (ParameterSpecification) throws(E) -> Tensor
  ) throws(E) {
    precondition(count > 0, "\(count) layers")
    layers = [try LSTM(path, inputs: inputs, hidden: hidden, from: source)]
    for layer in 1..<max(1, count) {
      layers.append(try LSTM("\(path)\(layer)", inputs: hidden, hidden: hidden, from: source))
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
    fileprivate var layers: [LSTM.Trace] = []
    // Of every layer but the first, [P, H]: what it reads, and the gradient of the h it is made from.
    fileprivate var (inputs, inputGradients): ([Buffer], [Buffer]) = ([], [])
    fileprivate var dropout: [Dropout] = []

    /// Nothing traced yet.
    public init() {}

    /// h of the top layer at every position [P, H], after a forward pass.
    public var hiddenStates: UnsafePointer<Float> { layers[layers.count - 1].hiddenStates }

    fileprivate mutating func prepare(layers count: Int, _ dropout: [Dropout]) {
      if layers.count != count {
        layers = Array(repeating: LSTM.Trace(), count: count)
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
  ///   - injected: W_ih·v [N, 4H], without the bias.
  ///   - dropout: of what each layer but the first reads; empty: none.
  public func forward(
    _ captions: PackedCaptions, _ x: UnsafePointer<Float>, injected: UnsafePointer<Float>, images: Int,
    injection: Injection, dropout: [Dropout] = [], into trace: inout Trace, pool: ThreadPool = .shared
  ) {
    trace.prepare(layers: layers.count, dropout)
    layers[0].forward(
      captions, x, injected: injected, images: images, injection: injection, into: &trace.layers[0],
      pool: pool)
    for layer in layers.indices.dropFirst() {
      let input = trace.inputs[layer - 1].reserve(captions.positions * hidden)
      trace.dropout[layer - 1].apply(
        rows: captions.positions, columns: hidden, trace.layers[layer - 1].hiddenStates, into: input,
        pool: pool)
      layers[layer].forward(
        captions, input, injected: nil, images: images, injection: injection, into: &trace.layers[layer],
        pool: pool)
    }
  }

  /// Runs all time steps backwards and writes the gradients of all layers' weights.
  /// - Parameters:
  ///   - x: [P, E], as in the forward pass.
  ///   - dh: [P, H], the gradient that reaches the top layer's h from above; overwritten.
  ///   - dx: [P, E], overwritten with the gradient of x.
  ///   - dInjected: [N, 4H], overwritten with the gradient of W_ih·v.
  public mutating func backward(
    _ captions: PackedCaptions, _ x: UnsafePointer<Float>, dh: UnsafeMutablePointer<Float>,
    dx: UnsafeMutablePointer<Float>, dInjected: UnsafeMutablePointer<Float>, images: Int,
    injection: Injection, trace: inout Trace, pool: ThreadPool = .shared
  ) {
    let (positions, size) = (captions.positions, hidden)
    var dh = dh
    for layer in layers.indices.dropFirst().reversed() {
      let below = trace.inputGradients[layer - 1].reserve(positions * size)
      layers[layer].backward(
        captions, trace.inputs[layer - 1].pointer, dh: dh, dx: below, dInjected: nil, images: images,
        injection: injection, trace: &trace.layers[layer], pool: pool)
      trace.dropout[layer - 1].apply(rows: positions, columns: size, below, into: below, pool: pool)
      dh = below
    }
    layers[0].backward(
      captions, x, dh: dh, dx: dx, dInjected: dInjected, images: images, injection: injection,
      trace: &trace.layers[0], pool: pool)
  }

  /// One step of inference.
  /// - Parameters:
  ///   - input: layer 0's W_xh x + b, as its `inputSums` makes them.
  ///   - injected: W_ih·v; nil where the image does not enter.
  ///   - before: the states that the rows go on from, of each layer; nil before the first step.
  ///   - scratch: [rows, 4H] and [before.rows, 4H].
  ///   - h: [rows, H] of each layer, as c; not those before.
  ///   - c: [rows, H] of each layer.
  ///   - dropout: as in `forward` where its row `firstRow` is row 0 here, and scratch [rows, H]; no masks: none.
  public func step(
    rows: Int, input: GateSums, injected: GateSums?, before: [LSTMStates]?,
    scratch: (UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>), h: [UnsafeMutablePointer<Float>],
    c: [UnsafeMutablePointer<Float>],
    dropout: (masks: [Dropout], firstRow: Int, scratch: UnsafeMutablePointer<Float>)? = nil,
    pool: ThreadPool = .shared
  ) {
    layers[0].step(
      rows: rows, input: input, injected: injected, before: before?[0], scratch: scratch.1, h: h[0], c: c[0],
      pool: pool)
    for layer in layers.indices.dropFirst() {
      var x = UnsafePointer(h[layer - 1])
      if let dropout, !dropout.masks.isEmpty {
        dropout.masks[layer - 1].apply(
          firstRow: dropout.firstRow, rows: rows, columns: hidden, x, into: dropout.scratch, pool: pool)
        x = UnsafePointer(dropout.scratch)
      }
      layers[layer].inputSums(rows: rows, x, into: scratch.0, pool: pool)
      layers[layer].step(
        rows: rows, input: GateSums(scratch.0), injected: nil, before: before?[layer], scratch: scratch.1,
        h: h[layer], c: c[layer], pool: pool)
    }
  }
}
