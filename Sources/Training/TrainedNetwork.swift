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
  /// Whether batch normalisation goes by its running statistics while convolutions learn, and leaves them.
  var freezesStatistics = false
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
    return ImageFeatures(v: Tensor(zeros: [0, description.encoder.featureSize]), regions: regions)
  }

  /// What is seen of N images.
  struct Seen {
    /// The averaged maps [N, pooledSize].
    let averaged: Tensor
    /// The same normalised and scaled, the head's input [N, headInputs].
    var pooled: Tensor
    /// The scaled regions [N, R, C]; nil where the decoder does not attend to any.
    var regions: Tensor?
  }

  /// What is seen of cached features [N, width].
  /// - Parameters:
  ///   - transforming: whether the convolutions have changed since the last call.
  ///   - learning: whether this is a step in which they learn: batch normalisation then goes by the batch, and its running
  ///     statistics follow.
  mutating func seen(
    _ features: Tensor, transforming: Bool = true, learning: Bool = false, on device: Device
  ) -> Seen {
    let statistics: BatchNormalization.Statistics = learning && !freezesStatistics ? .batch : .running
    let maps = maps(features, statistics, transforming: transforming, on: device)
    if statistics == .batch { convolutions?.follow(trace) }
    let averaged = description.pooled(maps)
    var pooled = captions.normalization.forward(averaged, on: device)
    scale(&pooled)
    return Seen(averaged: averaged, pooled: pooled, regions: description.regions(maps))
  }

  /// The last maps [N, h·w·C], or the averaged ones [N, pooledSize] where nothing else is read.
  private mutating func maps(
    _ features: Tensor, _ statistics: BatchNormalization.Statistics = .running, transforming: Bool,
    on device: Device
  ) -> Tensor {
    guard let convolutions else { return features }
    let input = features.reshaped(Shape([features.shape[0]] + mapShape.dimensions))
    guard description.tap == .map else {
      return convolutions.trainingForward(
        input, microBatch: microBatch, statistics, transforming: transforming, into: &trace, on: device)
    }
    let maps = convolutions.lastMaps(
      input, microBatch: microBatch, statistics, transforming: transforming, into: &trace, on: device)
    return maps.reshaped([maps.shape[0], description.mapSize])
  }

  private func scale(_ pooled: inout Tensor) {
    let memory = pooled.mutablePointer()
    for index in 0..<pooled.count { memory[index] *= scale }
  }

  /// What the decoder is told of images whose v [N, D] the head made.
  func features(v: Tensor, _ seen: Seen) -> ImageFeatures { ImageFeatures(v: v, regions: seen.regions) }

  /// Writes the convolutions' gradients, given those of what the last `seen` saw: of the head's input, and of the regions
  /// where the decoder attends to them.
  mutating func backward(_ gradient: Tensor, _ seen: Seen, regions: Tensor?, on device: Device) {
    var pooled = gradient
    scale(&pooled)
    pooled = captions.normalization.backward(seen.averaged, pooled, on: device)
    guard let regions, let attention = description.decoder.attention, var convolutions else {
      convolutions?.backward(pooled, &trace, on: device)
      return
    }
    let shape = MapShape(Shape([pooled.shape[0]] + description.mapShape.dimensions))
    var maps = Tensor(uninitialized: [shape.images, shape.height, shape.width, shape.channels])
    adaptiveAveragePoolBackward(
      pooled.matrix, side: description.encoder.side, into: MutableMaps(maps.mutablePointer(), shape))
    addScaled(
      count: maps.count, attention.scale, regions.pointer, to: maps.mutablePointer(), on: device)
    withExtendedLifetime(regions) {}
    self.convolutions = nil
    convolutions.backward(maps: maps, &trace, on: device)
    self.convolutions = convolutions
  }

  /// Images whose whole maps, or whose maps through convolutions that run for them, are measured for a normalisation.
  private static let measuredMaps = 4096

  /// Measures what the normalisation of the averaged maps needs: of all images of a split, or where whole maps are read or
  /// convolutions run, as they are when training begins, of the first few thousand.
  /// - Throws: `TrainingError.configuration` for too few images, or too large numbers.
  mutating func measure(
    _ split: EncodedSplit, _ configuration: TrainingConfiguration, on device: Device
  ) throws(TrainingError) {
    var normalization = captions.normalization
    guard normalization.isFitted else { return }
    let isSample = isSampled(split)
    let rows = Array(Set(split.rows).sorted().prefix(isSample ? Self.measuredMaps : .max))
    if let problem = configuration.problem(images: rows.count) { throw .configuration(problem) }
    let isMeasured = normalization.fit(
      images: rows.count, epsilon: configuration.whiteningEpsilon, on: device
    ) { averagedMaps(split, rows[$0], on: device) }
    guard isMeasured else {
      throw .configuration(
        "--feature-normalization: expected features that are measured in single precision, found larger ones")
    }
    captions.normalization = normalization
  }

  /// Whether not all images of a split are measured.
  private func isSampled(_ split: EncodedSplit) -> Bool {
    convolutions != nil || description.tap == .map || !split.photos.isCached
  }

  /// The averaged maps [N, pooledSize] of some rows of a split.
  private mutating func averagedMaps(_ split: EncodedSplit, _ rows: ArraySlice<Int>, on device: Device)
    -> Tensor
  {
    let width = description.encoder.pooledSize
    var result = Tensor(uninitialized: [rows.count, width])
    let memory = result.mutableMatrix()
    // Whole maps are large.
    for start in stride(from: rows.startIndex, to: rows.endIndex, by: 32) {
      let part = rows[start..<min(rows.endIndex, start + 32)]
      let averaged = description.pooled(
        maps(split.features(part), transforming: start == rows.startIndex, on: device))
      withExtendedLifetime(averaged) {
        memory[start - rows.startIndex].update(from: averaged.pointer, count: averaged.count)
      }
    }
    return result
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
  /// read or convolutions run of the first few hundred.
  mutating func deviation(_ split: EncodedSplit, on device: Device) -> Deviation {
    let isSample = isSampled(split)
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
