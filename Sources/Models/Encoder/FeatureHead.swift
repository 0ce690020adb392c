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
      self.activations = activations
      self.dropouts = dropouts
    }
  }

  /// v [N, D] of pooled features [N, inputs], without dropout.
  public func forward(_ features: Tensor, on device: Device) -> Tensor {
    var trace = Trace()
    return forward(features, dropouts: layers.map { _ in .none }, into: &trace, on: device)
  }

  /// v [N, D] under dropout of `rate` after each layer, for a training step; `seed` names the masks.
  public func trainingForward(
    _ features: Tensor, dropout rate: Float, seed: UInt64, into trace: inout Trace, on device: Device
  ) -> Tensor {
    var masks = Random(seed: seed)
    return forward(
      features, dropouts: layers.map { _ in Dropout(rate: rate, seed: masks.next()) }, into: &trace,
      on: device)
  }

  private func forward(
    _ features: Tensor, dropouts: [Dropout], into trace: inout Trace, on device: Device
  ) -> Tensor {
    precondition(
      features.shape.rank == 2 && features.shape[1] == (layers.first?.inputs ?? features.shape[1]),
      "features are \(features.shape)")
    let rows = features.shape[0]
    trace = Trace(activations: [features], dropouts: dropouts)
    for (layer, dropout) in zip(layers, dropouts) {
      let x = trace.activations.last!
      var y = Tensor(uninitialized: [rows, layer.outputs])
      let memory = y.mutableMatrix()
      withExtendedLifetime(x) { layer.product(x.matrix, into: memory, on: device) }
      addBiasReLUDropout(layer.bias!.value.pointer, to: memory, dropout, on: device)
      trace.activations.append(y)
    }
    return trace.activations.last!
  }

  /// Writes the gradient of every parameter, given the gradient of v [N, D], and where what is before the features
  /// learns, theirs [N, inputs].
  public mutating func backward(
    _ dv: Tensor, _ trace: inout Trace, into features: UnsafeMutablePointer<Float>? = nil,
    on device: Device
  ) {
    precondition(trace.activations.count == layers.count + 1, "backward without a trainingForward before it")
    var gradient = dv
    for index in layers.indices.reversed() {
      let (x, y) = (trace.activations[index], trace.activations[index + 1])
      precondition(gradient.shape == y.shape, "\(gradient.shape) against \(y.shape)")
      withExtendedLifetime((x, y)) {
        let dy = gradient.mutableMatrix()
        reluDropoutBackward(y.matrix, gradient: dy, trace.dropouts[index], on: device)
        if index == 0 {
          let dx = features.map { MutableMatrix($0, rows: x.shape[0], columns: x.shape[1]) }
          layers[index].backward(x.matrix, Matrix(dy), into: dx, on: device)
        } else {
          var before = Tensor(uninitialized: x.shape)
          layers[index].backward(x.matrix, Matrix(dy), into: before.mutableMatrix(), on: device)
          gradient = before
        }
      }
    }
    trace = Trace()
  }
}
