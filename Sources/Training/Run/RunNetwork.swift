internal import Models
internal import Layers
internal import Tensors

/// The network of a run, and where it is cut: what is frozen runs once an image, its result is cached.
struct RunNetwork {
  /// The whole.
  let architecture: VGGArchitecture
  /// Everything before the head, or before the first convolution that learns.
  let frozen: VGGArchitecture
  /// What is taken of an image.
  let tap: VGGEncoder.Tap
  private let cut: VGGCut?
  private let source: EncoderSource
  /// Whether whole maps are cached, not averaged ones.
  private var keepsMaps: Bool { tap == .map }

  /// - Throws: `TrainingError.configuration`.
  init(_ configuration: TrainingConfiguration, _ source: EncoderSource) throws(TrainingError) {
    guard
      var architecture = source.architecture.replacing(
        layers: configuration.table(of: source.architecture), head: configuration.head,
        featureSize: configuration.imageFeatureSize(about: source.architecture))
    else { throw .configuration("\(configuration.encoder): expected a VGG network") }
    if let given = architecture.given, given.hasRegions != configuration.conditioning.attends {
      throw .configuration(
        given.hasRegions
          ? "--conditioning: expected attention, hard-attention or top-down for \(given.sizesText), found "
            + "\(configuration.conditioning.rawValue), which takes one vector an image: average them, or attend"
          : "--conditioning: expected features of regions [R, D] an image for \(configuration.conditioning.rawValue), found "
            + "\(given.sizesText): take another --conditioning, or features of regions")
    }
    architecture.activation = configuration.activation
    architecture.normalization = configuration.featureNormalization
    if configuration.featureNormalization == .whiten {
      architecture.whiteningComponents = configuration.whiteningComponents
      let (width, widest) = (architecture.pooledSize, FeatureNormalization.widestWhitened)
      guard width <= widest else {
        throw .configuration(
          "--feature-normalization: expected none, mean or standardize for averaged maps of more than \(widest) "
            + "numbers, found whiten for \(width) of --head \(configuration.head.rawValue)")
      }
      guard configuration.whiteningComponents <= width else {
        throw .configuration(
          "--whitening-components: expected at most \(width), the numbers of an averaged map, found "
            + "\(configuration.whiteningComponents)")
      }
    }
    self.architecture = architecture
    self.source = source
    guard !configuration.fineTuneFrom.isEmpty else {
      frozen = architecture
      tap = configuration.conditioning.attends ? .map : .pooled
      cut = nil
      return
    }
    if let problem = configuration.problem(ofStatistics: architecture.batchNormalization) {
      throw .configuration(problem)
    }
    guard let cut = architecture.cut(before: configuration.fineTuneFrom), let frozen = cut.frozen else {
      throw .configuration(
        "--fine-tune-from: expected one of \(architecture.convolutionNames.dropFirst().joined(separator: ", ")),"
          + " found \(configuration.fineTuneFrom)")
    }
    self.frozen = frozen
    tap = .map
    self.cut = cut
  }

  /// The convolutions that learn, as the encoder's file has them; nil: none does.
  var convolutions: TrainableConvolutions? {
    get throws(SafetensorsError) {
      guard let cut else { return nil }
      return try TrainableConvolutions(cut) { (parameter) throws(SafetensorsError) in
        let name = source.prefix + parameter.path.dropFirst(ModelFile.encoderPrefix.count)
        return try source.file.tensor(named: name, shape: parameter.shape)
      }
    }
  }

  /// The names of the convolutions' parameters that learn.
  var learningPaths: Set<String> {
    get throws(SafetensorsError) { Set(try convolutions?.parameters.map(\.path) ?? []) }
  }

  /// [h, w, C] of a map at the cut, or of the last map.
  var mapShape: Shape {
    let (height, width) = (source.preprocessing.height, source.preprocessing.width)
    return cut?.mapShape(height: height, width: width) ?? architecture.mapShape(height: height, width: width)
  }

  /// Scalars that are cached of an image.
  var featureWidth: Int { keepsMaps ? mapShape.count : architecture.pooledSize }

  /// How they are stored: maps are large, and half precision is what the weights come in.
  var featureType: StoredType { keepsMaps ? .float16 : .float32 }

  /// Scalars of all convolutions, as the encoder's file has them.
  var convolutionScalars: Int {
    source.file.entries.reduce(0) { count, entry in
      entry.key.hasPrefix(source.prefix + "features.") ? count + entry.value.shape.count : count
    }
  }
}
