public import Kernels
public import Layers
internal import Support
public import Tensors

/// The fully connected end of the image encoder, from pooled convolution features to v: one or two layers
/// y = dropout(max(0, x Wᵀ + b)).
///
/// With torchvision's names, so that its VGG weights fit the full head: 25088 → 4096 (`encoder.classifier.0`) → 4096
/// (`encoder.classifier.3`). The compact head is 2048 → 4096, a second layer being optional.
public struct FeatureHead: Module {
  /// The layers, first to last.
  public var layers: [Linear]

  /// A head of `inputs` scalars and layers of `widths` (one or two), its parameters from `source`.
  public init<E: Error>(
    inputs: Int, widths: [Int], from source: (ParameterSpecification) throws(E) -> Tensor
  ) throws(E) {
    layers = []
    var before = inputs
    for (index, width) in widths.enumerated() {
      // In torchvision's list ReLU and dropout lie between: 0, 3, …
      layers.append(
        try Linear(
          "encoder.classifier.\(3 * index)", inputs: before, outputs: width, gain: Float(2).squareRoot(),
          from: source))
      before = width
    }
  }

  /// Calls `visit` with each parameter in order.
  public mutating func visitParameters<E: Error>(_ visit: (inout Parameter) throws(E) -> Void) throws(E) {
    for index in layers.indices { try layers[index].visitParameters(visit) }
  }

  /// What the backward pass needs of a forward pass.
  public struct Trace: Sendable {
    // The input and each layer's output.
    var activations: [Tensor]
    var dropouts: [Dropout]

    /// Nothing traced yet.
    public init() { self.init(activations: [], dropouts: []) }

    init(activations: [Tensor], dropouts: [Dropout]) {
      (self.activations, self.dropouts) = (activations, dropouts)
    }
  }

  /// v [N, D] of pooled features [N, inputs], without dropout.
  public func forward(_ features: Tensor, pool: ThreadPool = .shared) -> Tensor {
    var trace = Trace()
    return forward(features, dropouts: layers.map { _ in .none }, into: &trace, pool)
  }

  /// v [N, D] under dropout of `rate` after each layer, for a training step; `seed` names the masks.
  public func trainingForward(
    _ features: Tensor, dropout rate: Float, seed: UInt64, into trace: inout Trace, pool: ThreadPool = .shared
  ) -> Tensor {
    var masks = Random(seed: seed)
    return forward(
      features, dropouts: layers.map { _ in Dropout(rate: rate, seed: masks.next()) }, into: &trace, pool)
  }

  private func forward(
    _ features: Tensor, dropouts: [Dropout], into trace: inout Trace, _ pool: ThreadPool
  ) -> Tensor {
    precondition(
      features.shape.rank == 2 && features.shape[1] == (layers.first?.inputs ?? features.shape[1]),
      "features are \(features.shape)")
    let rows = features.shape[0]
    trace = Trace(activations: [features], dropouts: dropouts)
    for (layer, dropout) in zip(layers, dropouts) {
      let x = trace.activations.last!
      var y = Tensor(uninitialized: [rows, layer.outputs])
      let memory = y.mutablePointer()
      withExtendedLifetime(x) { layer.product(rows: rows, x.pointer, into: memory, pool: pool) }
      addBiasRectifyDrop(
        rows: rows, columns: layer.outputs, memory, bias: layer.bias!.value.pointer, dropout: dropout,
        pool: pool)
      trace.activations.append(y)
    }
    return trace.activations.last!
  }

  /// Writes the gradient of every parameter, given the gradient of v [N, D], and where what is before the features
  /// learns, theirs [N, inputs].
  public mutating func backward(
    _ dv: Tensor, _ trace: inout Trace, into features: UnsafeMutablePointer<Float>? = nil,
    pool: ThreadPool = .shared
  ) {
    precondition(trace.activations.count == layers.count + 1, "backward without a trainingForward before it")
    var gradient = dv
    for index in layers.indices.reversed() {
      let (x, y) = (trace.activations[index], trace.activations[index + 1])
      precondition(gradient.shape == y.shape, "\(gradient.shape) against \(y.shape)")
      let rows = y.shape[0]
      withExtendedLifetime((x, y)) {
        let dy = gradient.mutablePointer()
        rectifyDropBackward(
          count: y.count, y: y.pointer, gradient: dy, dropout: trace.dropouts[index], pool: pool)
        if index == 0 {
          layers[index].backward(rows: rows, x.pointer, dy, into: features, pool: pool)
        } else {
          var before = Tensor(uninitialized: x.shape)
          layers[index].backward(rows: rows, x.pointer, dy, into: before.mutablePointer(), pool: pool)
          gradient = before
        }
      }
    }
    trace = Trace()
  }
}
