internal import Foundation
public import Imaging
internal import Kernels
public import Language
internal import Layers
internal import Support
public import Tensors

/// All of a model but its weights, as the model file's metadata keeps it.
public struct ModelDescription: Sendable, Equatable {
  /// The encoder, or the features that are given in its place.
  public var encoder: VGGArchitecture
  /// What the encoder's input must look like; of no account where features are given.
  public var preprocessing: Preprocessing
  /// The decoder: its kind and sizes.
  public var decoder: DecoderDescription
  /// The words.
  public var vocabulary: Vocabulary
  /// Where the weights come from: data, seed, figures; free text by key.
  public var training: [String: String]
  /// How far to trust a caption; nil unless the model was calibrated.
  public var confidence: Confidence?

  /// A description.
  public init(
    encoder: VGGArchitecture, preprocessing: Preprocessing, decoder: DecoderDescription,
    vocabulary: Vocabulary, training: [String: String] = [:], confidence: Confidence? = nil
  ) {
    self.encoder = encoder
    self.preprocessing = preprocessing
    self.decoder = decoder
    self.decoder.vocabularySize = vocabulary.count
    self.decoder.imageFeatureSize = encoder.featureSize
    self.vocabulary = vocabulary
    self.training = training
    self.confidence = confidence
  }

  private struct Architecture: Codable {
    var convolutions: String
    var head: VGGArchitecture.Head
    var featureSize, embeddingSize, hiddenSize: Int
    // Missing where there is none: weights and bias are all, or batch normalisation is folded into them.
    var batchNormalization: Bool?
    // Missing where it is ReLU, as in files from before there were others, and none.
    var activation: String?
    var featureNormalization: String?
    var whiteningComponents: Int?
    // Missing where there are convolutions.
    var features: GivenFeatures?
    // Missing where it is 1.
    var featureScale: Float?
    // Missing where it is an LSTM, and 1, as in files from before there were others.
    var cell: String?
    var layers: Int?
    // Missing where it is false.
    var residual: Bool?
    var injection: Injection
    // Missing where W_ih·v alone tells of the image, to the lowest layer.
    var conditioning: ConditioningName?
    var contextLayer: Int?
    var initialStates: Bool?
    var linearStates: Bool?
    var rectifiedInput: Bool?
    var attention: AttentionDescription?
    var multimodalSize: Int?
    var memorySize: Int?

    enum CodingKeys: String, CodingKey {
      case convolutions, features, head, activation, cell, layers, residual, injection, conditioning,
        attention
      case contextLayer = "context_layer"
      case initialStates = "initial_states"
      case linearStates = "linear_states"
      case rectifiedInput = "rectified_input"
      case multimodalSize = "multimodal_size"
      case memorySize = "memory_size"
      case featureSize = "feature_size"
      case featureScale = "feature_scale"
      case batchNormalization = "batch_normalization"
      case featureNormalization = "feature_normalization"
      case whiteningComponents = "whitening_components"
      case embeddingSize = "embedding_size"
      case hiddenSize = "hidden_size"
    }
  }

  static let format = "captioner"
  static let version = "1"
  static let tokenizer = "ptb-caption"

  /// The metadata of a model file.
  public func metadata() throws -> [String: String] {
    let architecture = Architecture(
      convolutions: encoder.table, head: encoder.head, featureSize: encoder.featureSize,
      embeddingSize: decoder.embeddingSize, hiddenSize: decoder.hiddenSize,
      batchNormalization: encoder.batchNormalization ? true : nil,
      activation: encoder.activation == .relu ? nil : encoder.activation.rawValue,
      featureNormalization: encoder.normalization == .none ? nil : encoder.normalization.rawValue,
      whiteningComponents: encoder.normalization == .whiten ? encoder.whiteningComponents : nil,
      features: encoder.given, featureScale: encoder.featureScale == 1 ? nil : encoder.featureScale,
      cell: decoder.cell == .lstm ? nil : decoder.cell.rawValue,
      layers: decoder.layers == 1 ? nil : decoder.layers, residual: decoder.isResidual ? true : nil,
      injection: decoder.injection,
      conditioning: decoder.conditioning == .gates ? nil : decoder.conditioning,
      contextLayer: decoder.contextLayer == 0 ? nil : decoder.contextLayer,
      initialStates: decoder.initialStates ? true : nil, linearStates: decoder.linearStates ? true : nil,
      rectifiedInput: decoder.rectifiesInput ? true : nil, attention: decoder.attention,
      multimodalSize: decoder.multimodalSize, memorySize: decoder.memorySize)
    var metadata = [
      "format": Self.format, "format_version": Self.version, "tokenizer": Self.tokenizer,
      "architecture": try canonicalJSON(architecture), "preprocessing": try canonicalJSON(preprocessing),
      "vocabulary": try canonicalJSON(vocabulary), "training": try canonicalJSON(training),
    ]
    if encoder.given != nil { metadata["preprocessing"] = nil }
    metadata[Confidence.key] = try confidence.map { try canonicalJSON($0) }
    return metadata
  }

  /// Gives a network with a head what a model's metadata say of it beside the shapes of its tensors.
  /// - Returns: what is expected and what is found where that makes no sense.
  private static func completeHead(
    of encoder: inout VGGArchitecture, _ said: Architecture
  ) -> (expected: String, found: String)? {
    func list(_ names: [String]) -> String { names.joined(separator: ", ") }
    if let name = said.activation {
      guard let activation = ActivationName(rawValue: name) else {
        return ("an activation among \(list(ActivationName.allCases.map(\.rawValue)))", name)
      }
      encoder.activation = activation
    }
    guard let name = said.featureNormalization else { return nil }
    guard let normalization = FeatureNormalizationName(rawValue: name) else {
      return (
        "a feature_normalization among \(list(FeatureNormalizationName.allCases.map(\.rawValue)))", name
      )
    }
    encoder.normalization = normalization
    if normalization == .whiten {
      let components = said.whiteningComponents ?? 0
      guard (1...max(1, encoder.pooledSize)).contains(components) else {
        return ("whitening_components of 1 to \(encoder.pooledSize)", "\(components)")
      }
      encoder.whiteningComponents = components
    }
    return nil
  }

  /// The same, if the file is a model; what makes no sense is left for `init(of:)` to refuse.
  static func completeHead(of encoder: inout VGGArchitecture, from file: SafetensorsFile) {
    guard file.metadata["format"] == Self.format, let text = file.metadata["architecture"],
      let said = try? JSONDecoder().decode(Architecture.self, from: Data(text.utf8))
    else { return }
    _ = completeHead(of: &encoder, said)
  }

  /// Reads the metadata of a model file.
  /// - Throws: `ModelError.unsupported` naming the key that is missing or makes no sense.
  public init(of file: SafetensorsFile) throws(ModelError) {
    let metadata = try ModelMetadata(of: file, Self.format, "a captioner model", version: Self.version)
    guard metadata["tokenizer"] == Self.tokenizer else {
      throw metadata.unsupported("tokenizer \(Self.tokenizer)", metadata["tokenizer"])
    }
    let architecture = try metadata.read(Architecture.self, "architecture")
    let (head, featureSize) = (architecture.head, architecture.featureSize)
    let given = architecture.features
    guard
      var encoder = given.map({ VGGArchitecture(given: $0, head: head, featureSize: featureSize) })
        ?? VGGArchitecture(table: architecture.convolutions, head: head, featureSize: featureSize),
      encoder.head != .none || given != nil, (1...(1 << 14)).contains(architecture.embeddingSize),
      (1...(1 << 14)).contains(architecture.hiddenSize),
      (1...DecoderDescription.mostLayers).contains(architecture.layers ?? 1)
    else { throw metadata.unsupported("an architecture that can be run", metadata["architecture"]) }
    encoder.batchNormalization = architecture.batchNormalization ?? false
    encoder.featureScale = architecture.featureScale ?? 1
    guard encoder.featureScale > 0, encoder.featureScale.isFinite else {
      throw metadata.unsupported("a feature_scale above 0", "\(encoder.featureScale)")
    }
    if let (expected, found) = Self.completeHead(of: &encoder, architecture) {
      throw metadata.unsupported(expected, found)
    }
    if encoder.head.layers == 0 && featureSize != encoder.headInputs {
      throw metadata.unsupported(
        "feature_size \(encoder.headInputs), as there is no layer in the head", "\(featureSize)")
    }
    guard let cell = architecture.cell.map({ CellName(rawValue: $0) }) ?? .lstm else {
      throw metadata.unsupported(
        "a cell among \(CellName.allCases.map(\.rawValue).joined(separator: ", "))", architecture.cell)
    }
    var decoder = DecoderDescription(
      embeddingSize: architecture.embeddingSize, hiddenSize: architecture.hiddenSize,
      layers: architecture.layers ?? 1, cell: cell,
      injection: architecture.injection)
    decoder.isResidual = architecture.residual ?? false
    decoder.conditioning = architecture.conditioning ?? .gates
    decoder.contextLayer = architecture.contextLayer ?? 0
    decoder.initialStates = architecture.initialStates ?? false
    decoder.linearStates = architecture.linearStates ?? false
    decoder.rectifiesInput = architecture.rectifiedInput ?? false
    decoder.attention = architecture.attention
    decoder.multimodalSize = architecture.multimodalSize
    decoder.memorySize = architecture.memorySize
    if let size = decoder.neededEmbeddingSize {
      throw metadata.unsupported(
        "embedding_size \(size), as hidden_size, for cell \(cell.rawValue), a gate of which reads the embedding itself",
        "\(decoder.embeddingSize)")
    }
    if let problem = decoder.problem {
      throw metadata.unsupported("a decoder that can be run", "\(problem)")
    }
    if let attention = decoder.attention, attention.channels != encoder.channels {
      throw metadata.unsupported(
        "attention to regions of \(encoder.channels) channels",
        "\(attention.channels)")
    }
    if let given, given.hasRegions != decoder.conditioning.attends {
      throw metadata.unsupported(
        "features \(given.hasRegions ? "without regions" : "of regions") for conditioning "
          + decoder.conditioning.rawValue, given.sizesText)
    }
    self.init(
      encoder: encoder,
      preprocessing: given == nil ? try metadata.read(Preprocessing.self, "preprocessing") : .torchvision,
      decoder: decoder,
      vocabulary: try metadata.read(Vocabulary.self, "vocabulary"),
      training: try metadata.read([String: String].self, "training"),
      confidence: metadata[Confidence.key] == nil ? nil : try metadata.read(Confidence.self, Confidence.key))
  }
}
