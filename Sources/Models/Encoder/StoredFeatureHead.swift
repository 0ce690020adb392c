public import Kernels
internal import Layers
public import Tensors

/// The `FeatureHead` of a file for inference, one or two layers y = f(x Wᵀ + b) whose weights stay as stored, with the
/// normalisation of what it reads.
public struct StoredFeatureHead: Sendable {
  private struct Layer: Sendable {
    let weights: StoredLinear
    let bias: Tensor
    /// That of f below zero, where it has one.
    let slope: Float
  }

  private let layers: [Layer]
  private let activation: ActivationName
  private let normalization: FeatureNormalization
  /// What v is multiplied by where there is no layer.
  private let scale: Float

  /// `PREFIXclassifier.0` and, with two layers, `.3`, as torchvision names them; of parametric ReLUs `.1` and `.4`.
  /// - Throws: `ModelError` naming the tensor that is missing, of another shape, or not finite.
  public init(
    _ architecture: VGGArchitecture, weights file: SafetensorsFile, prefix: String, on device: Device
  ) throws(ModelError) {
    var layers: [Layer] = []
    var inputs = architecture.headInputs
    activation = architecture.activation
    scale = architecture.head.layers == 0 ? architecture.given?.scale ?? architecture.featureScale : 1
    normalization = try FeatureNormalization(architecture) { (parameter) throws(ModelError) in
      try ModelFile.value(parameter, file, device)
    }
    for index in 0..<architecture.head.layers {
      let key = "\(prefix)classifier.\(3 * index)"
      let outputs = activation.pieces * architecture.featureSize
      let weights: StoredLinear
      let bias: Tensor
      var slope = activation.slope
      do {
        weights = StoredLinear(try file.stored(key + ".weight", shape: [outputs, inputs]))
        bias = try file.tensor(named: key + ".bias", shape: [outputs])
        if activation == .prelu {
          slope = try file.tensor(named: "\(prefix)classifier.\(3 * index + 1).weight", shape: [1])[0]
        }
      } catch { throw .weights(error) }
      guard weights.isFinite(on: device) else { throw .notFinite(path: file.path, what: key + ".weight") }
      guard sumOfSquares(bias.pointer, count: bias.count, on: device).isFinite else {
        throw .notFinite(path: file.path, what: key + ".bias")
      }
      guard slope.isFinite else {
        throw .notFinite(path: file.path, what: "\(prefix)classifier.\(3 * index + 1).weight")
      }
      layers.append(Layer(weights: weights, bias: bias, slope: slope))
      inputs = architecture.featureSize
    }
    self.layers = layers
  }

  /// v [N, D] of pooled features [N, inputs]; the features themselves where there is no layer.
  public func callAsFunction(_ features: Tensor, on device: Device) -> Tensor {
    var x = normalization.forward(features, on: device)
    precondition(
      x.shape.rank == 2 && x.shape[1] == (layers.first?.weights.inputs ?? x.shape[1]),
      "features are \(features.shape)")
    if scale != 1 {
      let memory = x.mutablePointer()
      for place in 0..<x.count { memory[place] *= scale }
    }
    for layer in layers {
      var sums = Tensor(uninitialized: [features.shape[0], layer.weights.outputs])
      let memory = sums.mutableMatrix()
      withExtendedLifetime(x) { layer.weights(x.matrix, into: memory, on: device) }
      guard activation != .relu else {
        addBiasReLUDropout(layer.bias.pointer, to: memory, .none, on: device)
        x = sums
        continue
      }
      addBias(layer.bias.pointer, to: memory, on: device)
      var y = Tensor(uninitialized: [features.shape[0], layer.weights.outputs / activation.pieces])
      activate(Matrix(memory), activation, slope: layer.slope, into: y.mutableMatrix(), on: device)
      withExtendedLifetime(sums) { x = y }
    }
    return x
  }
}
