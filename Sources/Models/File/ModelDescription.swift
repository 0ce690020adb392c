internal import Foundation
public import Imaging
internal import Kernels
public import Language
internal import Layers
internal import Support
public import Tensors

/// All of a model but its weights, as the model file's metadata keeps it.
public struct ModelDescription: Sendable, Equatable {
  /// The encoder.
  public var encoder: VGGArchitecture
  /// What the encoder's input must look like.
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
    var attention: AttentionDescription?
    var multimodalSize: Int?
    var memorySize: Int?

    enum CodingKeys: String, CodingKey {
      case convolutions, head, cell, layers, residual, injection, conditioning, attention
      case contextLayer = "context_layer"
      case initialStates = "initial_states"
      case multimodalSize = "multimodal_size"
      case memorySize = "memory_size"
      case featureSize = "feature_size"
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
      cell: decoder.cell == .lstm ? nil : decoder.cell.rawValue,
      layers: decoder.layers == 1 ? nil : decoder.layers, residual: decoder.isResidual ? true : nil,
      injection: decoder.injection,
      conditioning: decoder.conditioning == .gates ? nil : decoder.conditioning,
      contextLayer: decoder.contextLayer == 0 ? nil : decoder.contextLayer,
      initialStates: decoder.initialStates ? true : nil, attention: decoder.attention,
      multimodalSize: decoder.multimodalSize, memorySize: decoder.memorySize)
    var metadata = [
      "format": Self.format, "format_version": Self.version, "tokenizer": Self.tokenizer,
      "architecture": try canonicalJSON(architecture), "preprocessing": try canonicalJSON(preprocessing),
      "vocabulary": try canonicalJSON(vocabulary), "training": try canonicalJSON(training),
    ]
    metadata[Confidence.key] = try confidence.map { try canonicalJSON($0) }
    return metadata
  }

  /// Reads the metadata of a model file.
  /// - Throws: `ModelError.unsupported` naming the key that is missing or makes no sense.
  public init(of file: SafetensorsFile) throws(ModelError) {
    func unsupported(_ expected: String, _ found: String?) -> ModelError {
      .unsupported(path: file.path, expected: expected, found: found ?? "none")
    }
    let metadata = file.metadata
    guard metadata["format"] == Self.format else {
      throw unsupported("a captioner model (metadata key format: \(Self.format))", metadata["format"])
    }
    guard metadata["format_version"] == Self.version else {
      throw unsupported("format_version \(Self.version)", metadata["format_version"])
    }
    guard metadata["tokenizer"] == Self.tokenizer else {
      throw unsupported("tokenizer \(Self.tokenizer)", metadata["tokenizer"])
    }
    func read<T: Decodable>(_ type: T.Type, _ key: String) throws(ModelError) -> T {
      guard let text = metadata[key] else { throw unsupported("metadata key \(key)", nil) }
      do {
        return try JSONDecoder().decode(type, from: Data(text.utf8))
      } catch let error as VocabularyError {
        throw unsupported("a vocabulary", "\(error)")
      } catch let DecodingError.dataCorrupted(context) {
        throw unsupported("metadata key \(key) that makes sense", context.debugDescription)
      } catch {
        throw unsupported("metadata key \(key) that makes sense", String(text.prefix(80)))
      }
    }
    let architecture = try read(Architecture.self, "architecture")
    guard
      let encoder = VGGArchitecture(
        table: architecture.convolutions, head: architecture.head, featureSize: architecture.featureSize),
      encoder.head != .none, (1...(1 << 14)).contains(architecture.embeddingSize),
      (1...(1 << 14)).contains(architecture.hiddenSize),
      (1...DecoderDescription.mostLayers).contains(architecture.layers ?? 1)
    else { throw unsupported("an architecture that can be run", metadata["architecture"]) }
    guard let cell = architecture.cell.map({ CellName(rawValue: $0) }) ?? .lstm else {
      throw unsupported(
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
    decoder.attention = architecture.attention
    decoder.multimodalSize = architecture.multimodalSize
    decoder.memorySize = architecture.memorySize
    if let size = decoder.neededEmbeddingSize {
      throw unsupported(
        "embedding_size \(size), as hidden_size, for cell \(cell.rawValue), a gate of which reads the embedding itself",
        "\(decoder.embeddingSize)")
    }
    if let problem = decoder.problem {
      throw unsupported("a decoder that can be run", "\(problem)")
    }
    if let attention = decoder.attention, attention.channels != encoder.channels {
      throw unsupported(
        "attention to regions of \(encoder.channels) channels",
        "\(attention.channels)")
    }
    self.init(
      encoder: encoder, preprocessing: try read(Preprocessing.self, "preprocessing"), decoder: decoder,
      vocabulary: try read(Vocabulary.self, "vocabulary"),
      training: try read([String: String].self, "training"),
      confidence: metadata[Confidence.key] == nil ? nil : try read(Confidence.self, Confidence.key))
  }
}
