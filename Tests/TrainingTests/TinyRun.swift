import Models
import Datasets
import Foundation
import Imaging
import Language
import Support
import Tensors
import TestSupport

@testable import Training

/// A training run of seconds: six images whose features are random numbers, two captions each that say which image
/// it is, on the tiny network.
final class TinyRun {
  /// Where the run's files go.
  let folder: String
  /// Everything that may be varied.
  var configuration = TrainingConfiguration()
  var train, validation: EncodedSplit
  /// What is learned beside captions.
  var beside = SideData()
  let vocabulary: Vocabulary
  /// The features as they are, and mirrored.
  let caches: [MapCache]
  let encoder: SafetensorsFile
  private let preprocessing: Preprocessing

  /// A run in `folder`, which exists.
  /// - Parameters:
  ///   - fineTuning: the second convolution learns, from maps of images of 32×32.
  ///   - normalized: the convolutions have batch normalisation.
  init(in folder: String, fineTuning: Bool = false, normalized: Bool = false) throws {
    self.folder = folder
    preprocessing = try Preprocessing(
      width: fineTuning ? 32 : 224, height: fineTuning ? 32 : 224, resize: .stretch, channelOrder: .rgb,
      scale: .unit, mean: [0.5, 0.5, 0.5],
      standardDeviation: [0.25, 0.25, 0.25])
    if fineTuning { configuration.fineTuneFrom = "conv2_1" }
    (configuration.embeddingSize, configuration.hiddenSize, configuration.featureSize) = (6, 12, 16)
    (configuration.epochs, configuration.batchSize, configuration.learningRate) = (3, 5, 0.02)
    (configuration.minimumCount, configuration.averageDecay) = (1, 0.9)
    let weights = folder + "/vgg.safetensors"
    try TinyNetwork.writeConvolutions(to: weights, normalized: normalized)
    encoder = try SafetensorsFile(path: weights)
    var random = Random(seed: 5)
    caches = try ["plain", "mirrored"].map { name in
      let cache = try MapCache(
        path: "\(folder)/\(name).safetensors", key: name, names: (0..<6).map { "image \($0)" },
        width: fineTuning ? 16 * 16 * 4 : TinyNetwork.pooledSize)
      for row in 0..<6 {
        try cache.store((0..<cache.width).map { _ in 40 * random.uniform() - 20 }, row: row)
      }
      try cache.flush()
      return cache
    }
    let sentences = (0..<6).flatMap { image in
      [["a", "word\(image)", "x"], ["the", "word\(image)", "y", "z"]]
    }
    vocabulary = Vocabulary(counts: Vocabulary.counts(of: sentences), minimumCount: 1)
    let (captions, rows) = (sentences.map(vocabulary.encode), sentences.indices.map { $0 / 2 })
    let references = Dictionary(grouping: sentences.indices) { rows[$0] }.mapValues {
      $0.map { sentences[$0] }
    }
    train = EncodedSplit(
      captions: captions, rows: rows, references: { references[$0] ?? [] }, features: caches[0],
      views: [caches[1]])
    validation = EncodedSplit(
      captions: [1, 4, 7].map { captions[$0] }, rows: [1, 4, 7].map { rows[$0] },
      references: { references[$0] ?? [] },
      features: caches[0])
  }

  /// The captions of an epoch, in batches.
  var batches: Int { (12 + configuration.batchSize - 1) / configuration.batchSize }

  func trainer(
    in output: String, resume: Bool = false, shouldStop: @escaping () -> Bool = { false },
    among group: any ProcessGroup = OneProcess(), report: @escaping (Trainer.Event) -> Void = { _ in }
  ) throws -> Trainer {
    try FileManager.default.createDirectory(atPath: output, withIntermediateDirectories: true)
    var architecture = try VGGArchitecture(weights: encoder).replacing(
      head: configuration.head, featureSize: configuration.featureSize)
    architecture?.activation = configuration.activation
    architecture?.normalization = configuration.featureNormalization
    architecture?.whiteningComponents = configuration.whiteningComponents
    let description = ModelDescription(
      encoder: architecture!, preprocessing: preprocessing,
      decoder: configuration.decoder(about: architecture!),
      vocabulary: vocabulary)
    var trainer = try Trainer(
      configuration, description, TrainingData(train: train, validation: validation, beside: beside),
      encoder: (encoder, ""), folder: output, resume: resume, among: group)
    trainer.shouldStop = shouldStop
    trainer.report = report
    return trainer
  }

  /// Runs to the end in a new folder of that name; what it left there.
  func outcome(_ name: String, resume: Bool = false) throws -> Outcome {
    let output = "\(folder)/\(name)"
    var trainer = try trainer(in: output, resume: resume)
    let perplexity = try trainer.run()
    return try Outcome(output, perplexity)
  }
}

/// What a run leaves.
struct Outcome: Equatable {
  let perplexity: Double
  let model: Data
  /// The log without its times.
  let log: [String]
  /// The weights, moments and averages of the checkpoint, which a short model file does not show.
  let tensors: [String: Tensor]

  init(_ output: String, _ perplexity: Double) throws {
    self.perplexity = perplexity
    model = try Data(contentsOf: URL(fileURLWithPath: output + "/model.safetensors"))
    log = try logLines(output)
    let checkpoint = try SafetensorsFile(path: output + "/checkpoint.safetensors")
    var tensors: [String: Tensor] = [:]
    for key in checkpoint.entries.keys { tensors[key] = try checkpoint.tensor(named: key) }
    self.tensors = tensors
  }
}

/// log.jsonl without its times.
func logLines(_ output: String) throws -> [String] {
  let text = try String(contentsOfFile: output + "/log.jsonl", encoding: .utf8)
  return text.split(separator: "\n").map {
    $0.replacingOccurrences(of: #","seconds":[^,}]*"#, with: "", options: .regularExpression)
  }
}
