public import Kernels
public import Layers
internal import Support
public import Tensors

/// The fully connected end of the image encoder, from pooled convolution features to v: one or two layers
/// y = dropout(f(x Wᵀ + b)), f being ReLU unless another activation is asked for.
///
/// With torchvision's names, so that its VGG weights fit the full head: 25088 → 4096 (`encoder.classifier.0`) → 4096
/// (`encoder.classifier.3`). The compact head is 2048 → 4096, a second layer being optional. In torchvision's list the
/// activations are `encoder.classifier.1` and `.4`: so are the slopes of parametric ReLUs.
public struct FeatureHead: Module {
  /// The layers, first to last.
  public var layers: [ActivatedLinear]

  /// A head of `inputs` scalars and layers of `widths` (one or two), its parameters from `source`.
  public init<E: Error>(
    inputs: Int, widths: [Int], activation: ActivationName = .relu,
    from source: (ParameterSpecification) throws(E) -> Tensor
  ) throws(E) {
    layers = []
    var before = inputs
    for (index, width) in widths.enumerated() {
      // Activation and dropout lie between: 0, 3, …
      layers.append(
        try ActivatedLinear(
          "encoder.classifier.\(3 * index)", slopePath: "encoder.classifier.\(3 * index + 1)", inputs: before,
          outputs: width, activation: activation, from: source))
      before = width
    }
  }

  /// The head of a network.
  public init<E: Error>(
    _ architecture: VGGArchitecture, from source: (ParameterSpecification) throws(E) -> Tensor
  ) throws(E) {
    try self.init(
      inputs: architecture.headInputs,
      widths: [Int](repeating: architecture.featureSize, count: architecture.head.layers),
      activation: architecture.activation, from: source)
  }

  /// Calls `visit` with each parameter in order.
  public mutating func visitParameters<E: Error>(_ visit: (inout Parameter) throws(E) -> Void) throws(E) {
    for index in layers.indices { try layers[index].visitParameters(visit) }
  }

  /// What the backward pass needs of a forward pass.
  public struct Trace: Sendable {
    var layers: [ActivatedLinear.Trace] = []

    /// Nothing traced yet.
    public init() {}
  }

  /// v [N, D] of pooled features [N, inputs], without dropout.
  public func forward(_ features: Tensor, on device: Device) -> Tensor {
    var trace = Trace()
    return forward(features, dropouts: layers.map { _ in .none }, into: &trace, on: device)
  }

  /// v [N, D] under dropout after each layer, for a training step; its seed names the masks.
  public func trainingForward(
    _ features: Tensor, _ dropout: Dropout, into trace: inout Trace, on device: Device
  ) -> Tensor {
    var masks = Random(seed: dropout.seed)
    let dropouts = layers.map { _ in Dropout(rate: dropout.rate, seed: masks.next(), rows: dropout.rows) }
    return forward(features, dropouts: dropouts, into: &trace, on: device)
  }

  /// The same of all rows of a batch.
  public func trainingForward(
    _ features: Tensor, dropout rate: Float, seed: UInt64, into trace: inout Trace, on device: Device
  ) -> Tensor { trainingForward(features, Dropout(rate: rate, seed: seed), into: &trace, on: device) }

  private func forward(
    _ features: Tensor, dropouts: [Dropout], into trace: inout Trace, on device: Device
  ) -> Tensor {
    precondition(
      features.shape.rank == 2 && features.shape[1] == (layers.first?.inputs ?? features.shape[1]),
      "features are \(features.shape)")
    trace = Trace()
    var x = features
    for (layer, dropout) in zip(layers, dropouts) {
      let (y, traced) = layer.forward(x, dropout, on: device)
      trace.layers.append(traced)
      x = y
    }
    return x
  }

  /// Writes the gradient of every parameter, given the gradient of v [N, D], and where what is before the features
  /// learns, theirs [N, inputs].
  public mutating func backward(
    _ dv: Tensor, _ trace: inout Trace, into features: UnsafeMutablePointer<Float>? = nil,
    on device: Device
  ) {
    precondition(trace.layers.count == layers.count, "backward without a trainingForward before it")
    // Without layers v is the features themselves.
    if layers.isEmpty { withExtendedLifetime(dv) { features?.update(from: dv.pointer, count: dv.count) } }
    var gradient = dv
    for index in layers.indices.reversed() {
      let shape: Shape = [dv.shape[0], layers[index].inputs]
      if index == 0 {
        let dx = features.map { MutableMatrix($0, rows: shape[0], columns: shape[1]) }
        layers[index].backward(&gradient, trace.layers[index], into: dx, on: device)
      } else {
        var before = Tensor(uninitialized: shape)
        layers[index].backward(&gradient, trace.layers[index], into: before.mutableMatrix(), on: device)
        gradient = before
      }
    }
    trace = Trace()
  }
}
