internal import Models
internal import Evaluation
internal import Foundation
internal import Imaging
internal import Language
internal import Layers
internal import Metrics
internal import Tensors

/// From model files and to them.
extension Trainer {
  /// Takes the weights of a model file whose words and sizes are the run's; its first layer is unscaled again.
  /// The convolutions that stay as they are must be those of the run's encoder.
  static func start(
    _ network: inout TrainedNetwork, from path: String, _ description: ModelDescription,
    encoder: (file: SafetensorsFile, prefix: String)
  ) throws {
    let file = try SafetensorsFile(path: path)
    let found = try ModelDescription(of: file)
    try description.check(found, at: path)
    network.captions = try ModelFile.network(file, found)
    scale(&network.captions.head.layers[0].weight, by: 1 / network.scale)
    let learning = network.learningPaths
    let frozen = file.entries.keys.filter {
      $0.hasPrefix(ModelFile.encoderPrefix + "features.") && !learning.contains($0)
    }
    for key in frozen.sorted() {
      let original = encoder.prefix + key.dropFirst(ModelFile.encoderPrefix.count)
      guard try isHalf(file.tensor(named: key), of: encoder.file.tensor(named: original)) else {
        throw ModelError.unsupported(
          path: path, expected: "the convolutions of --encoder", found: "others in \(key)")
      }
    }
    try network.convolutions?.visitParameters { (parameter: inout Parameter) throws in
      parameter.value = try file.tensor(named: parameter.path, shape: parameter.value.shape)
    }
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

  /// The model file: the scale of the features goes into the first layer, W(s·x) = (s·W)x.
  func writeModel(_ network: TrainedNetwork, _ scores: Scores, epoch: Int, step: Int) throws {
    var scaled = network.captions
    Self.scale(&scaled.head.layers[0].weight, by: network.scale)
    var described = description
    described.training = provenance(scores, epoch: epoch, step: step)
    try ModelFile.write(
      described, scaled, convolutionsOf: encoder.file, prefix: encoder.prefix, tuned: network.convolutions,
      type: configuration.precision, to: folder + "/model.safetensors")
  }

  private static func scale(_ parameter: inout Parameter, by factor: Float) {
    parameter.value.withUnsafeMutableBufferPointer { weights in
      for index in weights.indices { weights[index] *= factor }
    }
  }

  private func provenance(_ scores: Scores, epoch: Int, step: Int) -> [String: String] {
    func name(_ path: String) -> String { path.split(separator: "/").last.map(String.init) ?? path }
    func names(_ paths: [String]) -> String { paths.map(name).joined(separator: ", ") }
    let validation = configuration.validationCaptions
    return [
      "captions": names(configuration.captions),
      "validation_captions": names(validation.isEmpty ? configuration.captions : validation),
      "encoder": name(configuration.encoder), "training_captions": String(train.captions.count),
      "start": name(configuration.start), "consensus": String(configuration.consensus),
      "self_critical": String(configuration.selfCriticalSamples),
      "training_images": String(Set(train.rows).count), "seed": String(configuration.seed),
      "decoding": configuration.decoding.rawValue, "epoch": String(epoch), "step": String(step),
      "validation_perplexity": String(format: "%.3f", scores.perplexity),
      "validation_CIDEr": String(format: "%.4f", scores.cider),
    ]
  }
}
