internal import Foundation
internal import Language
internal import Layers
internal import Models
internal import Tensors

/// What a run takes of a model that it begins from: all that fits.
///
/// Rows of the embedding and of the output projection go by words. Words that the model does not know begin as the mean of
/// those that it knows (Hewitt 2021, "Initializing New Word Embeddings for Pretrained Language Models"): so they are
/// neither likelier nor less likely than a word is on average. The head and what reads v are taken only where the
/// convolutions are the run's: they would see other features.
struct ModelStart {
  /// How well it fits.
  let summary: StartSummary
  private let file: SafetensorsFile
  private let found: ModelDescription
  /// The model's id of each of the run's words; nil: it does not know it.
  private let ids: [Int?]
  private let taken: Set<String>
  private let hasSameConvolutions: Bool
  private let hasSameHead: Bool
  /// What the model's regions are multiplied by, where its weights of regions are taken.
  var regionScale: Float? {
    taken.contains("decoder.attention.regions.weight") ? found.decoder.attention?.scale : nil
  }

  /// What the model's v is multiplied by, where its weights of v are taken and there is no head before them.
  var featureScale: Float? {
    guard hasSameHead, found.encoder.head.layers == 0 else { return nil }
    return found.encoder.given?.scale ?? found.encoder.featureScale
  }

  /// Whether what was measured for its normalisation of features is taken.
  var hasNormalization: Bool { taken.contains { $0.hasPrefix("encoder.normalization.") } }

  /// - Parameters:
  ///   - description: the run's.
  ///   - encoder: where the run's convolutions come from.
  ///   - learning: the names of the run's convolution parameters that learn.
  /// - Throws: `SafetensorsError`, `ModelError` for a file that is no model; `TrainingError`.
  init(
    _ path: String, for description: ModelDescription, encoder: (file: SafetensorsFile, prefix: String),
    learning: Set<String> = []
  ) throws {
    file = try SafetensorsFile(path: path)
    found = try ModelDescription(of: file)
    let known = found.vocabulary
    ids = description.vocabulary.words.enumerated().map { id, word in
      id < Vocabulary.specialWords.count ? id : known.id(of: word).map { Int($0) }
    }
    hasSameConvolutions = try Self.hasSameConvolutions(
      file, found, description, encoder: encoder, learning: learning)
    let specifications = try RunSizes.specifications(description.encoder, description.decoder)
    // v is another where the head is, and what reads it begins anew.
    let head = specifications.filter { $0.path.hasPrefix(ModelFile.encoderPrefix) }
    let hasSameHead =
      hasSameConvolutions && found.encoder.featureSize == description.encoder.featureSize
      && found.encoder.head == description.encoder.head
      && found.encoder.activation == description.encoder.activation
      && found.encoder.normalization == description.encoder.normalization
      && head.allSatisfy { [file] in file.entries[$0.path]?.shape == $0.shape }
    let cell = "decoder.\(description.decoder.cell.rawValue)"
    var taken: Set<String> = []
    var parts: [(name: String, taken: Int, all: Int)] = []
    for specification in specifications {
      let part = Part(specification.path, cell: cell)
      let isThere = file.entries[specification.path].map { entry in
        part.isByWord
          ? entry.shape.dimensions.dropFirst() == specification.shape.dimensions.dropFirst()
          : entry.shape == specification.shape
      }
      // A bias of words says nothing beside other weights.
      let weight = specification.path.hasSuffix(".bias") ? specification.path.dropLast(4) + "weight" : nil
      let isAlone = part.isByWord && weight.map { !taken.contains(String($0)) } == true
      let fits = isThere == true && !isAlone && (hasSameHead || !part.seesImages)
      if fits { taken.insert(specification.path) }
      if parts.last?.name != part.name { parts.append((part.name, 0, 0)) }
      parts[parts.count - 1].all += 1
      if fits { parts[parts.count - 1].taken += 1 }
    }
    self.taken = taken
    self.hasSameHead = hasSameHead
    let words = ids.dropFirst(Vocabulary.specialWords.count)
    let keepsWords = taken.contains { Part($0, cell: cell).isByWord }
    summary = StartSummary(
      model: path, words: words.count, keptWords: keepsWords ? words.count { $0 != nil } : 0,
      taken: parts.filter { $0.taken == $0.all }.map(\.name),
      partly: parts.filter { 0 < $0.taken && $0.taken < $0.all }.map(\.name),
      new: parts.filter { $0.taken == 0 }.map(\.name), hasSameConvolutions: hasSameConvolutions)
  }

  /// Puts what its normalisation of features measured into a network, before the network's features are.
  func applyNormalization(to network: inout TrainedNetwork) throws {
    try network.captions.normalization.visitParameters { (parameter: inout Parameter) throws in
      if taken.contains(parameter.path) {
        parameter.value = try value(parameter.path, parameter.value.shape)
      }
    }
  }

  /// Puts what is taken into a network that is yet to be trained; the first layer of the head is unscaled.
  func apply(to network: inout TrainedNetwork) throws {
    let scale = network.scale
    try network.captions.visitParameters { (parameter: inout Parameter) throws in
      guard taken.contains(parameter.path) else { return }
      if Part(parameter.path, cell: "").isByWord {
        parameter.value = try rows(parameter.path, parameter.value)
      } else {
        parameter.value = try value(parameter.path, parameter.value.shape)
      }
      if parameter.path == ModelFile.encoderPrefix + "classifier.0.weight" {
        parameter.value.scale(by: 1 / scale)
      }
    }
    guard hasSameConvolutions else { return }
    try network.convolutions?.visitParameters { (parameter: inout Parameter) throws in
      parameter.value = try value(parameter.path, parameter.value.shape)
    }
  }

  private func value(_ path: String, _ shape: Shape) throws -> Tensor {
    let value = try file.tensor(named: path, shape: shape)
    guard value.withUnsafeBufferPointer({ $0.allSatisfy(\.isFinite) }) else {
      throw ModelError.notFinite(path: file.path, what: path)
    }
    return value
  }

  /// The rows of the run's words [V, …]: the model's, or their mean; as they are where it has no words.
  private func rows(_ path: String, _ untrained: Tensor) throws -> Tensor {
    guard let theirs = file.entries[path]?.shape, theirs.rank > 0 else { return untrained }
    let source = try value(path, theirs)
    var result = untrained
    let width = untrained.count / max(1, untrained.shape[0])
    let first = Vocabulary.specialWords.count
    let count = theirs[0]
    guard count == found.vocabulary.count, count > first else { return untrained }
    var mean = [Float](repeating: 0, count: width)
    source.withUnsafeBufferPointer { source in
      for column in 0..<width {
        let sum = (first..<count).reduce(0.0) { $0 + Double(source[$1 * width + column]) }
        mean[column] = Float(sum / Double(count - first))
      }
      result.withUnsafeMutableBufferPointer { result in
        for (row, id) in ids.enumerated() {
          for column in 0..<width {
            result[row * width + column] = id.map { source[$0 * width + column] } ?? mean[column]
          }
        }
      }
    }
    return result
  }

  /// Whether the model's convolutions are the run's, those that learn in the run excepted, and see the same input.
  private static func hasSameConvolutions(
    _ file: SafetensorsFile, _ found: ModelDescription, _ description: ModelDescription,
    encoder: (file: SafetensorsFile, prefix: String), learning: Set<String>
  ) throws -> Bool {
    guard found.encoder.table == description.encoder.table, hasSameFeatures(found, description),
      found.encoder.batchNormalization == description.encoder.batchNormalization,
      found.preprocessing == description.preprocessing
    else { return false }
    for key in file.entries.keys.sorted()
    where key.hasPrefix(ModelFile.encoderPrefix + "features.") && !learning.contains(key) {
      let original = encoder.prefix + key.dropFirst(ModelFile.encoderPrefix.count)
      guard try isHalf(file.tensor(named: key), of: encoder.file.tensor(named: original)) else {
        return false
      }
    }
    return true
  }

  /// Whether both read photos, or features of one name and size.
  private static func hasSameFeatures(_ found: ModelDescription, _ description: ModelDescription) -> Bool {
    var theirs = found.encoder.given
    if let scale = description.encoder.given?.scale { theirs?.scale = scale }
    return theirs == description.encoder.given
  }

  /// Whether one tensor is the other, but for the rounding of half precision.
  private static func isHalf(_ stored: Tensor, of original: Tensor) -> Bool {
    guard stored.shape == original.shape else { return false }
    return stored.withUnsafeBufferPointer { stored in
      original.withUnsafeBufferPointer { original in
        zip(stored, original).allSatisfy { abs($0 - $1) <= abs($1) / 1024 + 1e-7 }
      }
    }
  }

  /// A part of a network, as people call it.
  private struct Part {
    let name: String
    /// Whether its first extent is the vocabulary's.
    let isByWord: Bool
    /// Whether it reads what the convolutions or the head give.
    let seesImages: Bool

    init(_ path: String, cell: String) {
      if path.hasPrefix(ModelFile.encoderPrefix) {
        (name, isByWord, seesImages) = ("head", false, true)
      } else if path.hasPrefix("decoder.embedding.") {
        (name, isByWord, seesImages) = ("word embedding", true, false)
      } else if path.hasPrefix("decoder.output.") {
        (name, isByWord, seesImages) = ("output projection", true, false)
      } else if path.hasPrefix(cell) {
        (name, isByWord, seesImages) = ("recurrent layers", false, false)
      } else {
        (name, isByWord, seesImages) = ("image weights of the decoder", false, true)
      }
    }
  }
}

/// How much of a model a run begins from.
public struct StartSummary: Sendable, Equatable, Encodable {
  /// The model's file.
  public let model: String
  /// Words of the run, and those of them that the model knows.
  public let words, keptWords: Int
  /// The parts of the network that are the model's, those of which some layers are, and those that are new.
  public let taken, partly, new: [String]
  /// Whether its convolutions are the run's.
  public let hasSameConvolutions: Bool

  /// One line for people.
  public var text: String {
    func list(_ names: [String]) -> String { names.isEmpty ? "nothing" : names.joined(separator: ", ") }
    let fresh = words - keptWords
    return "begins from \(model): kept \(keptWords) of \(words) words, \(fresh) new"
      + (fresh > 0 ? " (as the mean of its words)" : "") + "; taken: \(list(taken))"
      + (partly.isEmpty ? "" : "; in part: \(list(partly))") + "; new: \(list(new))"
      + (hasSameConvolutions ? "" : " (its convolutions or their input are others than this run's)")
  }
}

extension Tensor {
  /// Multiplies all scalars.
  mutating func scale(by factor: Float) {
    withUnsafeMutableBufferPointer { scalars in
      for index in scalars.indices { scalars[index] *= factor }
    }
  }
}
