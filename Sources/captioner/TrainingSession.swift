import Captioning
import Datasets
import Foundation
import Imaging
import Language
import Support
import Tensors
import Training

/// A sitting of `captioner train`: reads the data, fills the feature caches, runs the trainer.
struct TrainingSession {
  private let configuration: TrainingConfiguration
  private let output: String
  private let resume: Bool
  private let source: EncoderSource

  init(_ configuration: TrainingConfiguration, output: String, resume: Bool) throws {
    (self.configuration, self.output, self.resume) = (configuration, output, resume)
    source = try EncoderSource(path: configuration.encoder, preprocessing: configuration.preprocessing)
  }

  func run() throws {
    let begun = FileManager.default.fileExists(atPath: output + "/checkpoint.safetensors")
    if begun && !resume { throw TrainingError.alreadyThere(path: output) }
    // A run that was stopped before its first checkpoint has a configuration and begins again.
    if resume && !begun && !FileManager.default.fileExists(atPath: configurationPath) {
      throw TrainingError.nothingToResume(path: output)
    }
    let train = try TrainingSplit(configuration.trainingDataset(), paths: configuration.captions)
    let validation = try TrainingSplit(
      configuration.validationDataset(),
      paths: configuration.validationCaptions.isEmpty
        ? configuration.captions : configuration.validationCaptions)
    let vocabulary = Vocabulary(counts: train.tokens.counts, minimumCount: configuration.minimumCount)
    let statistics = train.tokens.statistics(of: vocabulary)
    Console.note(
      "\(train.files.count) images, \(train.tokens.count) captions; \(vocabulary.count) words cover "
        + String(format: "%.2f %%", statistics.coverage * 100))
    let learned = train.learned(by: vocabulary, configuration)
    let network = try RunNetwork(configuration, source)
    let description = ModelDescription(
      encoder: network.architecture, preprocessing: source.preprocessing,
      embeddingSize: configuration.embeddingSize,
      hiddenSize: configuration.hiddenSize, layers: configuration.layers, injection: configuration.injection,
      vocabulary: vocabulary)

    if !begun && !configuration.start.isEmpty {
      try description.check(
        ModelDescription(of: SafetensorsFile(path: configuration.start)), at: configuration.start)
    }
    try openOutput()
    if !begun { try writeConfiguration() }
    Interruption.watch()
    let encoder = try VGGEncoder(
      network.frozen, preprocessing: source.preprocessing, weights: source.file, prefix: source.prefix,
      residency: .resident)
    let fingerprint = try encoder.fingerprint(network.tap)
    // Training and validation may be the same images: then they share a file.
    var caches: [String: FeatureCache] = [:]
    func cache(_ split: TrainingSplit, view: TrainingView) throws -> FeatureCache {
      let key = view.name.isEmpty ? fingerprint : fingerprint + " " + view.name
      let path = cachePath(key, split)
      if let open = caches[path] { return open }
      let cache = try fill(split, view, encoder, network, key: key, path: path)
      caches[path] = cache
      return cache
    }
    let trainSplit = try EncodedSplit(
      captions: learned.captions, rows: learned.rows, references: train.references(of:),
      features: cache(train, view: TrainingView(0)),
      views: (1..<configuration.views).map {
        try cache(train, view: TrainingView($0, seed: configuration.seed))
      })
    let told = validation.encoded(by: vocabulary)
    let validationSplit = try EncodedSplit(
      captions: told.captions, rows: told.rows, references: validation.references(of:),
      features: cache(validation, view: TrainingView(0)))

    var bar: ProgressLine?
    var barEpoch = 0
    let page = RunPage(folder: output)
    var trainer = try Trainer(
      configuration, description, train: trainSplit, validation: validationSplit, encoder: source.file,
      encoderPrefix: source.prefix, folder: output, resume: begun, shouldStop: { Interruption.requested }
    ) { event in
      switch event {
      case .message(let text):
        bar?.clear()
        Console.note(text)
      case .epoch(let record):
        bar?.clear()
        Console.note(record.line)
        page.write(.running(epochs: Double(record.epoch)))
        if record.validation.hasCollapsed {
          Console.complain(
            "all photos get much the same caption: that passes early in a run, later a lower --learning-rate may help"
          )
        }
      case .progress(let epoch, let batch, let batches, let loss):
        if barEpoch != epoch {
          bar = ProgressLine("epoch \(epoch)", total: batches, unit: "batches", from: batch - 1)
          barEpoch = epoch
        }
        bar?.update(batch, note: String(format: "loss %.3f", loss))
        page.progress(epoch: epoch, batch: batch, of: batches)
      }
    }
    // Only now are other options known to be ones that may change.
    if begun { try writeConfiguration() }
    page.write(.running(epochs: 0))
    do {
      let perplexity = try trainer.run()
      page.write(.finished)
      Console.note(
        String(format: "%@: validation perplexity %.2f", output + "/model.safetensors", perplexity))
    } catch {
      if case TrainingError.interrupted = error { bar?.clear() }
      page.write(.stopped(reason: "\(error)"))
      throw error
    }
  }

  /// Makes the folder if need be and keeps other runs out of it until the process ends.
  private func openOutput() throws {
    do {
      try FileManager.default.createDirectory(atPath: output, withIntermediateDirectories: true)
    } catch {
      throw Failure(description: "\(output): can't make the folder: \(error.localizedDescription)")
    }
    let folder = open(output, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard folder >= 0 else { throw FileError(path: output, action: "open", errno: errno) }
    guard flock(folder, LOCK_EX | LOCK_NB) == 0 else {
      throw Failure(description: "\(output): another process is training here")
    }
    // What a process left behind that was killed while it wrote.
    for name in (try? FileManager.default.contentsOfDirectory(atPath: output)) ?? []
    where name.contains(".partial-") { unlink(output + "/" + name) }
  }

  private var configurationPath: String { output + "/config.json" }

  private func writeConfiguration() throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let json = String(decoding: try encoder.encode(configuration), as: UTF8.self)
    try AtomicFile.write(to: configurationPath) { try $0.write(json + "\n") }
  }

  /// Features of other encoders and other images lie beside each other in the run's folder.
  private func cachePath(_ key: String, _ split: TrainingSplit) -> String {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in ([key] + split.files).joined(separator: "\n").utf8 {
      hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3
    }
    return "\(output)/features-\(String(hash, radix: 16)).safetensors"
  }

  /// The features of a split, computed where they are missing.
  private func fill(
    _ split: TrainingSplit, _ view: TrainingView, _ encoder: VGGEncoder, _ network: RunNetwork, key: String,
    path: String
  ) throws -> FeatureCache {
    let cache = try FeatureCache(
      path: path, key: key, names: split.files, width: network.featureWidth, type: network.featureType)
    let pending = cache.pending.count
    if pending == 0 { return cache }
    var progress = ProgressLine(
      "features of \(split.name)\(view.name.isEmpty ? "" : ", " + view.name)", total: pending, unit: "images")
    var failures: [String] = []
    try encoder.fill(cache, paths: split.files, view: view, tap: network.tap) { done in
      progress.update(done)
      if Interruption.requested { throw TrainingError.interrupted(path: output) }
    } failed: { _, message in
      failures.append(message)
      if failures.count <= 5 { Console.complain(message) }
    }
    progress.finish(pending)
    if failures.count > 5 { Console.complain("\(failures.count - 5) more images can't be read") }
    if failures.count == split.files.count {
      throw Failure(description: "\(split.name): expected images, found none that can be read")
    }
    return cache
  }
}
