public import Kernels
internal import Layers
public import Tensors

/// The `FeatureHead` of a file for inference: one or two layers y = max(0, x Wᵀ + b) whose weights stay as stored.
public struct StoredFeatureHead: Sendable {
  private let layers: [(weights: StoredLinear, bias: Tensor)]

  /// `PREFIXclassifier.0` and, with two layers, `.3`, as torchvision names them.
  /// - Throws: `ModelError` naming the tensor that is missing, of another shape, or not finite.
  public init(
    _ architecture: VGGArchitecture, weights file: SafetensorsFile, prefix: String, on device: Device
  ) throws(ModelError) {
    var layers: [(StoredLinear, Tensor)] = []
    var inputs = architecture.pooledSize
    for index in 0..<architecture.head.layers {
      let key = "\(prefix)classifier.\(3 * index)"
      let outputs = architecture.featureSize
      let weights: StoredLinear
      let bias: Tensor
      do {
        weights = StoredLinear(try file.stored(key + ".weight", shape: [outputs, inputs]))
        bias = try file.tensor(named: key + ".bias", shape: [outputs])
      } catch { throw .weights(error) }
      guard weights.isFinite(on: device) else { throw .notFinite(path: file.path, what: key + ".weight") }
      guard sumOfSquares(bias.pointer, count: bias.count, on: device).isFinite else {
        throw .notFinite(path: file.path, what: key + ".bias")
      }
      layers.append((weights, bias))
      inputs = outputs
    }
    self.layers = layers
  }

  /// v [N, D] of pooled features [N, inputs]; the features themselves where there is no layer.
  public func callAsFunction(_ features: Tensor, on device: Device) -> Tensor {
    precondition(
      features.shape.rank == 2 && features.shape[1] == (layers.first?.weights.inputs ?? features.shape[1]),
      "features are \(features.shape)")
    let rows = features.shape[0]
    var x = features
    for (weights, bias) in layers {
      var y = Tensor(uninitialized: [rows, weights.outputs])
      let memory = y.mutableMatrix()
      withExtendedLifetime(x) { weights(x.matrix, into: memory, on: device) }
      addBiasReLUDropout(bias.pointer, to: memory, .none, on: device)
      x = y
    }
    return x
  }
}
