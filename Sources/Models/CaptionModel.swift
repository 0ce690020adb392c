public import Decoding
public import Kernels
public import Language
internal import Layers
public import Tensors

/// A loaded model: photos in, captions with log-probabilities out. Not for use by two threads at once.
public final class CaptionModel {
  /// The model file.
  public let path: String
  /// All of the model but its weights.
  public let description: ModelDescription
  /// The convolutions; nil: the model reads features that are given.
  private let convolutions: VGGEncoder?
  private let head: StoredFeatureHead
  let decoder: any SequenceDecoder
  let cache = DecodingCache()
  private let file: SafetensorsFile
  let device: Device
  /// Whether captions are told how much the image speaks for them, though the confidence does not ask for it.
  public var measuresSupport = false

  /// Loads a model file of photos.
  /// - Parameters:
  ///   - arithmetic: what the convolutions multiply.
  ///   - device: what computes.
  /// - Throws: `ModelError` naming what is missing, of another shape, or not finite; for a model that wants features, how to
  ///   give them.
  public convenience init(
    contentsOf path: String, caching: WeightCaching, arithmetic: Arithmetic = .float32,
    on device: Device = .cpu
  ) throws(ModelError) {
    try self.init(path, on: device) { (description, file) throws(ModelError) in
      if let wanted = description.encoder.given {
        throw .unsupported(
          path: path, expected: "a model of photos",
          found: "one of \(wanted.text); caption, score and evaluate take them with --features FILE")
      }
      return try VGGEncoder(
        description.encoder, preprocessing: description.preprocessing, weights: file,
        prefix: ModelFile.encoderPrefix, caching: caching, on: device.multiplying(arithmetic))
    }
  }

  /// Loads the file of a model whose images' features are given.
  /// - Throws: as the other; for a model of photos, what is expected.
  public convenience init(ofFeaturesAt path: String, on device: Device = .cpu) throws(ModelError) {
    try self.init(path, on: device) { (description, _) throws(ModelError) in
      guard description.encoder.given == nil else { return nil }
      throw .unsupported(
        path: path, expected: "a model of given features (train --features), as --features asks for",
        found: "one of photos")
    }
  }

  private init(
    _ path: String, on device: Device,
    convolutions: (ModelDescription, SafetensorsFile) throws(ModelError) -> VGGEncoder?
  ) throws(ModelError) {
    self.path = path
    self.device = device
    device.pool.run(0) { _ in }  // starts it, and its threads get ready meanwhile
    file = try ImportedCaptioner.modelFile(at: path)
    description = try ModelDescription(of: file)
    head = try StoredFeatureHead(
      description.encoder, weights: file, prefix: ModelFile.encoderPrefix, on: device)
    decoder = try ModelFile.decoder(file, description, on: device)
    self.convolutions = try convolutions(description, file)
    try checkUnchanged()
  }

  /// The convolutions of a model of photos.
  public var encoder: VGGEncoder {
    guard let convolutions else { preconditionFailure("features are given to this model") }
    return convolutions
  }

  /// Makes sure that nobody has written into the model's file since it was opened: what was computed since would be of
  /// mixed weights.
  /// - Throws: `ModelError.weights`.
  public func checkUnchanged() throws(ModelError) {
    do { try file.checkUnchanged() } catch { throw .weights(error) }
  }

  /// What the model looks at, [N, mapSize], of images [N, H, W, 3] as the preprocessing makes them: `description.tap`
  /// says what that is.
  /// - Throws: `ModelError.notFinite`.
  public func maps(_ images: Tensor) throws(ModelError) -> Tensor {
    try encoder.checkedMaps(images, description.tap)
  }

  /// The captions of each image [N], the best or likeliest first.
  /// - Parameters:
  ///   - maps: [N, mapSize].
  ///   - streams: for each image, what names its random numbers beside the seed, where captions are drawn; its place unless
  ///     given.
  public func captions(
    _ maps: Tensor, _ strategy: DecodingStrategy = .beam(BeamOptions()), streams: [UInt64]? = nil
  ) -> [[Caption]] {
    let images = decoder.decode(
      features(maps), strategy, streams: streams ?? (0..<maps.shape[0]).map { UInt64($0) },
      sharing: cache, on: device
    ).map { hypotheses in hypotheses.map { Caption($0, in: description.vocabulary) } }
    var captions = judged(images.flatMap { $0 })[...]
    return images.map { image in
      defer { captions = captions.dropFirst(image.count) }
      return Array(captions.prefix(image.count))
    }
  }

  /// What the decoder is told of images, given their maps [N, mapSize].
  func features(_ maps: Tensor) -> ImageFeatures {
    ImageFeatures(v: head(description.pooled(maps), on: device), regions: description.regions(maps))
  }

  /// Captions with the model's confidence in them, if the model was calibrated.
  func judged(_ captions: [Caption]) -> [Caption] {
    var captions = captions
    if !captions.isEmpty, measuresSupport || description.confidence?.needsSupport ?? false {
      let unseen = unseenLogProbs(
        of: captions.map { description.vocabulary.encode($0.words.dropLast().map(\.word)) })
      for (place, logProb) in unseen.enumerated() {
        captions[place].support =
          (Double(captions[place].logProb) - logProb) / Double(captions[place].words.count)
      }
    }
    if let confidence = description.confidence {
      for place in captions.indices { captions[place].confidence = confidence(captions[place]) }
    }
    return captions
  }
}
