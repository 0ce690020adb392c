internal import Models
internal import Evaluation
internal import Foundation
internal import Imaging
internal import Language
internal import Layers
internal import CaptionMetrics
internal import Tensors

/// To model files.
extension Trainer {
  /// The model file: the scale of the features goes into the first layer, W(s·x) = (s·W)x, or without one is kept.
  func writeModel(_ network: TrainedNetwork, _ scores: Scores, epoch: Int, step: Int) throws {
    var scaled = network.captions
    var described = description
    if scaled.head.layers.isEmpty {
      if described.encoder.given != nil {
        described.encoder.given?.scale = network.scale
      } else {
        described.encoder.featureScale = network.scale
      }
    } else {
      scaled.head.layers[0].linear.weight.value.scale(by: network.scale)
    }
    described.training = provenance(scores, epoch: epoch, step: step)
    // Its convolutions are copied from there, and were read from there.
    try encoder.file.checkUnchanged()
    try ModelFile.write(
      described, scaled, convolutionsOf: encoder.file, prefix: encoder.prefix, tuned: network.convolutions,
      type: configuration.precision, to: folder + "/model.safetensors")
  }

  private func provenance(_ scores: Scores, epoch: Int, step: Int) -> [String: String] {
    func name(_ path: String) -> String { path.split(separator: "/").last.map(String.init) ?? path }
    func names(_ paths: [String]) -> String { paths.map(name).joined(separator: ", ") }
    let validation = configuration.validationCaptions
    let beside = [
      "text": names(configuration.text), "labels": names(configuration.labels),
      "teacher_scores": name(configuration.teacherScores),
      "augmentation": configuration.augmentation == .none ? "" : configuration.augmentation.rawValue,
    ].filter { !$0.value.isEmpty }
    var origin = [
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
    if !configuration.features.isEmpty {
      origin["encoder"] = nil
      origin["decoding"] = nil
      origin["features"] = names(configuration.features)
    }
    return origin.merging(beside) { own, _ in own }
  }
}
