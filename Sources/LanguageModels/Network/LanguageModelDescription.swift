internal import Foundation
public import Kernels
public import Layers
public import Models
internal import Support
public import Tensors

/// All of a language model but its weights, as the model file's metadata keeps it.
public struct LanguageModelDescription: Sendable, Equatable {
  /// What it knows, and what texts are sequences of.
  public var vocabulary: TextVocabulary
  /// What the recurrent layers are made of.
  public var cell: CellName
  /// How many there are.
  public var layers: Int
  /// H.
  public var hiddenSize: Int
  /// E; 0: the lowest layer reads which of V a token is.
  public var embeddingSize: Int
  /// Whether layers above the first pass on h + what they read.
  public var isResidual: Bool
  /// Where the weights come from: text, seed, figures; free text by key.
  public var training: [String: String]

  /// A description.
  public init(
    _ vocabulary: TextVocabulary, cell: CellName, layers: Int = 1, hiddenSize: Int, embeddingSize: Int = 0,
    isResidual: Bool = false
  ) {
    self.vocabulary = vocabulary
    self.cell = cell
    self.layers = layers
    self.hiddenSize = hiddenSize
    self.embeddingSize = embeddingSize
    self.isResidual = isResidual
    training = [:]
  }

  /// What texts are sequences of.
  public var unit: TextUnit { vocabulary.unit }

  /// The most layers and units of one.
  static let most = (layers: 16, units: 1 << 14)

  /// What keeps it from being run, as `what: expected …, found …`; nil: nothing.
  var problem: String? {
    func range(_ name: String, _ value: Int, _ range: ClosedRange<Int>) -> String? {
      range.contains(value)
        ? nil : "\(name): expected \(range.lowerBound) to \(range.upperBound), found \(value)"
    }
    if let problem = range("hidden_size", hiddenSize, 1...Self.most.units)
      ?? range("embedding_size", embeddingSize, 0...Self.most.units)
      ?? range("layers", layers, 1...Self.most.layers)
    {
      return problem
    }
    guard cell.cell.directInput != nil, embeddingSize != hiddenSize else { return nil }
    return
      "embedding_size: expected \(hiddenSize), as hidden_size, for cell \(cell.rawValue), a gate of which reads "
      + "the embedding itself, found \(embeddingSize)"
  }

  /// A network of these sizes whose parameters come from `source`.
  public func network<E: Error>(
    from source: (ParameterSpecification) throws(E) -> Tensor
  ) throws(E) -> any LanguageNetwork {
    func make<Cell: RecurrentCell>(_: Cell.Type) throws(E) -> any LanguageNetwork {
      try RecurrentLanguageModel<Cell>(self, from: source)
    }
    return try make(cell.cell)
  }

  // MARK: As metadata

  /// What the metadata of a model file call it.
  public static let format = "captioner language model"
  static let version = "1"

  private struct Architecture: Codable {
    let cell: String
    let layers: Int
    let residual: Bool
    let hiddenSize, embeddingSize: Int

    enum CodingKeys: String, CodingKey {
      case cell, layers, residual
      case hiddenSize = "hidden_size"
      case embeddingSize = "embedding_size"
    }
  }

  /// The metadata of a model file.
  func metadata() throws -> [String: String] {
    [
      "format": Self.format, "format_version": Self.version,
      "architecture": try canonicalJSON(
        Architecture(
          cell: cell.rawValue, layers: layers, residual: isResidual, hiddenSize: hiddenSize,
          embeddingSize: embeddingSize)),
      "vocabulary": try canonicalJSON(vocabulary), "training": try canonicalJSON(training),
    ]
  }

  /// Reads the metadata of a model file.
  /// - Throws: `ModelError.unsupported` naming the key that is missing or makes no sense.
  public init(of file: SafetensorsFile) throws(ModelError) {
    let metadata = try ModelMetadata(of: file, Self.format, "a language model", version: Self.version)
    let architecture = try metadata.read(Architecture.self, "architecture")
    guard let cell = CellName(rawValue: architecture.cell) else {
      throw metadata.unsupported(
        "a cell among \(CellName.allCases.map(\.rawValue).joined(separator: ", "))", architecture.cell)
    }
    self.init(
      try metadata.read(TextVocabulary.self, "vocabulary"), cell: cell, layers: architecture.layers,
      hiddenSize: architecture.hiddenSize, embeddingSize: architecture.embeddingSize,
      isResidual: architecture.residual)
    training = try metadata.read([String: String].self, "training")
    if let problem { throw metadata.unsupported("an architecture that can be run", problem) }
  }
}
