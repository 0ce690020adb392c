internal import Models
internal import Datasets
internal import Kernels
internal import Layers
internal import Tensors

/// Everything that learns: the decoder and the head, and where the run wants it the last convolutions.
///
/// Features come from a cache: the pooled maps, the last maps where the decoder attends to their pixels, or the maps that
/// the first learning convolution reads.
struct TrainedNetwork: Module {
  var captions: CaptionNetwork
  var convolutions: TrainableConvolutions?
  /// What is learned beside captions.
  var sideTasks = SideTasks()
  /// What is read of an image's last map.
  var description: ModelDescription
  /// [h, w, C] of the cached maps; of use with convolutions only.
  let mapShape: Shape
  /// What pooled maps are multiplied by before the head: one learning rate suits every encoder then.
  var scale: Float = 1
  /// Images whose activations are kept at a time; nil: all.
  let microBatch: Int?
  private var trace = TrainableConvolutions.Trace()

  init(
    _ captions: CaptionNetwork, _ description: ModelDescription, convolutions: TrainableConvolutions?,
    mapShape: Shape, microBatch: Int?
  ) {
    self.captions = captions
    self.description = description
    self.convolutions = convolutions
    self.mapShape = mapShape
    self.microBatch = microBatch
  }

  mutating func visitParameters<E: Error>(_ visit: (inout Parameter) throws(E) -> Void) throws(E) {
    try captions.visitParameters(visit)
    try sideTasks.visitParameters(visit)
    try convolutions?.visitParameters(visit)
  }

  /// The names of the convolutions' parameters, if they learn.
  var learningPaths: Set<String> { Set(convolutions?.parameters.map(\.path) ?? []) }

  /// Calls `body` with all but the convolutions, which have an optimiser of their own.
  mutating func withoutConvolutions<Result, E: Error>(
    _ body: (inout Self) throws(E) -> Result
  ) throws(E) -> Result {
    let kept = convolutions
    convolutions = nil
    defer { convolutions = kept }
    return try body(&self)
  }

  /// What the decoder is told of no image at all.
  var noImages: ImageFeatures {
    let regions =
      description.tap == .map ? description.regions(Tensor(zeros: [0, description.mapSize])) : nil
    return ImageFeatures(v: Tensor(zeros: [0, captions.head.layers.last!.outputs]), regions: regions)
  }

  /// What is seen of N images.
  struct Seen {
    /// The scaled averaged maps [N, pooledSize].
    var pooled: Tensor
    /// The scaled regions [N, R, C]; nil where the decoder does not attend to any.
    var regions: Tensor?
  }

  /// What is seen of cached features [N, width].
  /// - Parameter transforming: whether the convolutions have changed since the last call.
  mutating func seen(_ features: Tensor, transforming: Bool = true, on device: Device) -> Seen {
    let maps = maps(features, transforming: transforming, on: device)
    var pooled = description.pooled(maps)
    scale(&pooled)
    return Seen(pooled: pooled, regions: description.regions(maps))
  }

  /// The last maps [N, h·w·C], or the averaged ones [N, pooledSize] where nothing else is read.
  private mutating func maps(_ features: Tensor, transforming: Bool, on device: Device) -> Tensor {
    guard let convolutions else { return features }
    let input = features.reshaped(Shape([features.shape[0]] + mapShape.dimensions))
    guard description.tap == .map else {
      return convolutions.trainingForward(
        input, microBatch: microBatch, transforming: transforming, into: &trace, on: device)
    }
    let maps = convolutions.lastMaps(
      input, microBatch: microBatch, transforming: transforming, into: &trace, on: device)
    return maps.reshaped([maps.shape[0], description.mapSize])
  }

  private func scale(_ pooled: inout Tensor) {
    let memory = pooled.mutablePointer()
    for index in 0..<pooled.count { memory[index] *= scale }
  }

  /// What the decoder is told of images whose v [N, D] the head made.
  func features(v: Tensor, _ seen: Seen) -> ImageFeatures { ImageFeatures(v: v, regions: seen.regions) }

  /// Writes the convolutions' gradients, given those of what the last `seen` saw: of the averaged maps, and of the regions
  /// where the decoder attends to them.
  mutating func backward(_ gradient: Tensor, regions: Tensor?, on device: Device) {
    var pooled = gradient
    scale(&pooled)
    guard let regions, let attention = description.decoder.attention, var convolutions else {
      convolutions?.backward(pooled, &trace, on: device)
      return
    }
    let shape = MapShape(Shape([pooled.shape[0]] + description.mapShape.dimensions))
    var maps = Tensor(uninitialized: [shape.images, shape.height, shape.width, shape.channels])
    adaptiveAveragePoolBackward(
      pooled.matrix, side: description.encoder.head.side, into: MutableMaps(maps.mutablePointer(), shape))
    addScaled(
      count: maps.count, attention.scale, regions.pointer, to: maps.mutablePointer(), on: device)
    withExtendedLifetime(regions) {}
    self.convolutions = nil
    convolutions.backward(maps: maps, &trace, on: device)
    self.convolutions = convolutions
  }

  /// How far apart the values of features are before they are scaled: one over it suits a network.
  struct Deviation {
    /// Of the averaged maps.
    var pooled: Double
    /// Of the last maps' pixels; 1 where nobody reads them.
    var regions: Double

    /// Features that are scaled already.
    static let none = Deviation(pooled: 1, regions: 1)
  }

  /// The standard deviations of a split's unscaled features: of the averaged maps of all images, or where whole maps are
  /// read or convolutions come before of the first few hundred.
  mutating func deviation(_ split: EncodedSplit, on device: Device) -> Deviation {
    let isSample = convolutions != nil || description.tap == .map
    let rows = Set(split.rows).sorted().prefix(isSample ? 256 : .max)
    var (pooled, regions) = (Moments(), Moments())
    for start in stride(from: 0, to: rows.count, by: 32) {
      let seen = seen(
        split.features(rows[start..<min(rows.count, start + 32)]), transforming: start == 0, on: device)
      pooled.add(seen.pooled)
      if let found = seen.regions { regions.add(found) }
    }
    return Deviation(pooled: pooled.deviation, regions: regions.deviation)
  }
}

/// What a standard deviation is computed from.
private struct Moments {
  var sum = 0.0
  var squares = 0.0
  var count = 0

  mutating func add(_ values: Tensor) {
    values.withUnsafeBufferPointer { values in
      for value in values {
        sum += Double(value)
        squares += Double(value) * Double(value)
      }
    }
    count += values.count
  }

  /// 1 where it would be none.
  var deviation: Double {
    guard count > 0 else { return 1 }
    let mean = sum / Double(count)
    let deviation = max(0, squares / Double(count) - mean * mean).squareRoot()
    return deviation > 0 && deviation.isFinite ? deviation : 1
  }
}
