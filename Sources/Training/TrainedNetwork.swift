internal import Models
internal import Datasets
internal import Kernels
internal import Layers
internal import Tensors

/// Everything that learns: the decoder and the head, and where the run wants it the last convolutions.
///
/// Features come from a cache: the pooled maps, or the maps that the first learning convolution reads.
struct TrainedNetwork: Module {
  var captions: CaptionNetwork
  var convolutions: TrainableConvolutions?
  /// [h, w, C] of the cached maps; of use with convolutions only.
  let mapShape: Shape
  /// What pooled maps are multiplied by before the head: one learning rate suits every encoder then.
  var scale: Float = 1
  /// Images whose activations are kept at a time; nil: all.
  let microBatch: Int?
  private var trace = TrainableConvolutions.Trace()

  init(
    _ captions: CaptionNetwork, convolutions: TrainableConvolutions?, mapShape: Shape, microBatch: Int?
  ) {
    self.captions = captions
    self.convolutions = convolutions
    self.mapShape = mapShape
    self.microBatch = microBatch
  }

  mutating func visitParameters<E: Error>(_ visit: (inout Parameter) throws(E) -> Void) throws(E) {
    try captions.visitParameters(visit)
    try convolutions?.visitParameters(visit)
  }

  /// The names of the convolutions' parameters, if they learn.
  var learningPaths: Set<String> { Set(convolutions?.parameters.map(\.path) ?? []) }

  /// The scaled pooled maps [N, pooledSize] of cached features [N, width].
  /// - Parameter transforming: whether the convolutions have changed since the last call.
  mutating func pooled(_ features: Tensor, transforming: Bool = true, on device: Device) -> Tensor {
    var result = features
    if let convolutions {
      result = convolutions.trainingForward(
        features.reshaped(Shape([features.shape[0]] + mapShape.dimensions)), microBatch: microBatch,
        transforming: transforming, into: &trace, on: device)
    }
    let memory = result.mutablePointer()
    for index in 0..<result.count { memory[index] *= scale }
    return result
  }

  /// Writes the convolutions' gradients, given that of the scaled pooled maps of the last `pooled`.
  mutating func backward(_ gradient: Tensor, on device: Device) {
    var unscaled = gradient
    let memory = unscaled.mutablePointer()
    for index in 0..<unscaled.count { memory[index] *= scale }
    convolutions?.backward(unscaled, &trace, on: device)
  }

  /// The standard deviation of the unscaled pooled maps of a split: of all images, or where convolutions come before
  /// of the first few hundred.
  mutating func featureDeviation(_ split: EncodedSplit, on device: Device) -> Double {
    let rows = Set(split.rows).sorted().prefix(convolutions == nil ? .max : 256)
    var sum = 0.0
    var squares = 0.0
    var count = 0
    for start in stride(from: 0, to: rows.count, by: 32) {
      let features = pooled(
        split.features(rows[start..<min(rows.count, start + 32)]), transforming: start == 0,
        on: device)
      for index in 0..<features.count {
        let value = Double(features.pointer[index])
        sum += value
        squares += value * value
        count += 1
      }
    }
    guard count > 0 else { return 1 }
    let mean = sum / Double(count)
    let deviation = max(0, squares / Double(count) - mean * mean).squareRoot()
    return deviation > 0 && deviation.isFinite ? deviation : 1
  }
}
