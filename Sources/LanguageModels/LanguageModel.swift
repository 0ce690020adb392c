internal import Kernels
internal import Layers
public import Models
internal import Support
public import Tensors

/// A language model that has learned: what may follow a text, drawn or scored.
///
/// ```swift
/// let model = try LanguageModel(contentsOf: "run/model.safetensors")
/// let text = try EncodedText(contentsOf: ["held-out.txt"], as: model.vocabulary)
/// let score = model.score(text)
/// print(score.bits / Double(score.count))
/// ```
public struct LanguageModel: Sendable {
  /// All but the weights.
  public let description: LanguageModelDescription
  /// The weights.
  public let network: any LanguageNetwork

  /// A network and what it is.
  public init(_ description: LanguageModelDescription, _ network: any LanguageNetwork) {
    self.description = description
    self.network = network
  }

  /// Reads a model file.
  /// - Throws: `ModelError` naming what is missing, of another shape, or not finite.
  public init(contentsOf path: String) throws(ModelError) {
    let file: SafetensorsFile
    do { file = try SafetensorsFile(path: path) } catch { throw .weights(error) }
    description = try LanguageModelDescription(of: file)
    network = try description.network { (parameter) throws(ModelError) in
      try ModelFile.value(parameter, file, .cpu)
    }
  }

  /// What it knows.
  public var vocabulary: TextVocabulary { description.vocabulary }

  /// Writes a model file: the tensors by their paths, the description in the metadata.
  /// - Parameter type: how scalars are stored.
  /// - Throws: `SafetensorsError.file`.
  public func write(to path: String, type: StoredType = .float32) throws {
    try SafetensorsWriter.write(
      network.parameters.map { .init(name: $0.path, tensor: $0.value, type: type) },
      metadata: description.metadata(), to: path)
  }
}
