public import Captioning
internal import Datasets
internal import Foundation
internal import Kernels
internal import Layers
internal import Language
public import Tensors

/// A training run: teacher forcing with Adam over the FC head and the decoder, the convolutions frozen.
///
/// Everything random is drawn from streams named by seed and step, so a run that is interrupted and resumed
/// computes exactly what an uninterrupted one does.
public struct Trainer {
  /// What happens as the run goes, for whoever watches.
  public enum Event: Sendable {
    /// Something worth a line.
    case message(String)
    /// Batches done in the epoch, of how many, and the epoch's mean loss so far (nats per word).
    case progress(epoch: Int, batch: Int, batches: Int, loss: Double)
  }

  private let configuration: TrainingConfiguration
  private let description: ModelDescription
  private let train, validation: EncodedSplit
  private let encoder: (file: SafetensorsFile, prefix: String)
  private let folder: String
  private let report: (Event) -> Void
  private let shouldStop: () -> Bool

  private var network: CaptionNetwork
  private var adam: Adam
  private var average: WeightAverage
  private var state: RunState
  private var log: RunLog
  private var traces = (head: FeatureHead.Trace(), decoder: CaptionDecoder.Trace())
  private let featureScale: Float
  private var sessionStart = ContinuousClock.now
  private var lastCheckpoint = ContinuousClock.now

  /// Sets a run up in `folder`, or takes up the one that is there.
  /// - Throws: `TrainingError`, `ModelError`, `FileError`.
  public init(
    _ configuration: TrainingConfiguration, _ description: ModelDescription, train: EncodedSplit,
    validation: EncodedSplit, encoder: SafetensorsFile, encoderPrefix: String, folder: String, resume: Bool,
    shouldStop: @escaping () -> Bool = { false }, report: @escaping (Event) -> Void
  ) throws {
    if let problem = configuration.problem { throw TrainingError.configuration(problem) }
    guard !train.captions.isEmpty, !validation.captions.isEmpty else {
      throw TrainingError.configuration("expected captions to train and to validate on, found none")
    }
    (self.configuration, self.description) = (configuration, description)
    (self.train, self.validation, self.folder) = (train, validation, folder)
    (self.encoder, self.report, self.shouldStop) = ((encoder, encoderPrefix), report, shouldStop)
    var random = Random(seed: configuration.seed, stream: Stream.initialisation.rawValue)
    // A head that comes with the encoder is where training starts; its input is not rescaled then.
    let (found, wanted) = (try? VGGArchitecture(weights: encoder, prefix: encoderPrefix), description.encoder)
    let headIsThere = found?.head == wanted.head && found?.featureSize == wanted.featureSize
    network = try CaptionNetwork(description) { parameter in
      let key = parameter.path.replacingOccurrences(of: ModelFile.encoderPrefix, with: encoderPrefix)
      return headIsThere && parameter.path.hasPrefix(ModelFile.encoderPrefix)
        ? try encoder.tensor(named: key, shape: parameter.shape) : parameter.untrained(using: &random)
    }
    featureScale = headIsThere ? 1 : Float(1 / train.featureDeviation())
    if !configuration.start.isEmpty && !resume {
      network = try Self.started(from: configuration.start, description, featureScale: featureScale)
    }
    adam = Adam(learningRate: Float(configuration.learningRate))
    average = WeightAverage(of: network, decay: configuration.averageDecay)
    state = RunState(
      schedule: PlateauSchedule(learningRate: configuration.learningRate),
      vocabulary: description.vocabulary.words,
      data: "\(train.fingerprint) \(validation.fingerprint)", configuration: configuration)
    let path = folder + "/checkpoint.safetensors"
    let exists = FileManager.default.fileExists(atPath: path)
    if resume {
      guard exists else { throw TrainingError.nothingToResume(path: path) }
      let file = try SafetensorsFile(path: path)
      let kept = try Checkpoint.state(in: file)
      var differences = configuration.differences(from: kept.configuration)
      if kept.vocabulary != state.vocabulary {
        differences.append("the captions give another vocabulary")
      } else if kept.data != state.data {
        differences.append("other captions, or other images that can be read")
      }
      guard differences.isEmpty else { throw TrainingError.otherRun(path: path, differences: differences) }
      state = kept
      state.configuration = configuration
      try Checkpoint.restore(file, state, &network, &adam, &average)
    } else if exists {
      throw TrainingError.alreadyThere(path: path)
    }
    log = try RunLog(path: folder + "/log.jsonl", length: state.logLength)
  }

  /// The network of a model file whose words and sizes are the run's, its first layer unscaled again.
  private static func started(
    from path: String, _ description: ModelDescription, featureScale: Float
  ) throws -> CaptionNetwork {
    let file = try SafetensorsFile(path: path)
    var found = try ModelDescription(of: file)
    (found.training, found.confidence) = (description.training, description.confidence)
    guard found == description else {
      throw ModelError.unsupported(
        path: path, expected: "a model of this run's words, sizes and preprocessing",
        found: found.vocabulary == description.vocabulary ? "other sizes or preprocessing" : "other words")
    }
    var network = try ModelFile.network(file, found)
    network.head.layers[0].weight.value.withUnsafeMutableBufferPointer { weights in
      for index in weights.indices { weights[index] /= featureScale }
    }
    return network
  }

  /// The streams of random numbers.
  private enum Stream: UInt64 { case initialisation = 1, view, headDropout, decoderDropout }

  /// Runs to the end: the last epoch, or validation that no longer improves.
  /// - Returns: the best validation perplexity per word.
  /// - Throws: `TrainingError.diverged`, `.interrupted` (the checkpoint is written); file errors.
  public mutating func run() throws -> Double {
    sessionStart = .now
    lastCheckpoint = .now
    while state.epoch <= configuration.epochs && !state.finished {
      try runEpoch()
      try finishEpoch()
    }
    return exp(state.schedule.best)
  }

  private mutating func runEpoch() throws {
    let batches = CaptionBatches(
      captionCount: train.captions.count, batchSize: configuration.batchSize, seed: configuration.seed,
      epoch: state.epoch)
    while state.batch < batches.count {
      if shouldStop() {
        try writeCheckpoint()
        throw TrainingError.interrupted(path: folder)
      }
      try step(batches[state.batch])
      state.batch += 1
      report(
        .progress(
          epoch: state.epoch, batch: state.batch, batches: batches.count,
          loss: state.lossSum / Double(state.words))
      )
      if ContinuousClock.now - lastCheckpoint > .seconds(600) { try writeCheckpoint() }
    }
  }

  /// One batch: forward, loss, backward, clip, Adam, average.
  private mutating func step(_ captions: ArraySlice<Int>) throws {
    let number = UInt64(state.step + 1)
    func random(_ stream: Stream) -> Random {
      Random(seed: configuration.seed, stream: stream.rawValue, number)
    }
    var (viewChoices, headSeeds, decoderSeeds) = (
      random(.view), random(.headDropout), random(.decoderDropout)
    )
    let views = captions.map { _ in Int.random(in: 0...train.views.count, using: &viewChoices) }
    var batch = train.batch(captions, scale: featureScale) { views[$0] }
    let pooledDropout = Dropout(rate: Float(configuration.pooledDropout), seed: headSeeds.next())
    let pooled = batch.features.mutablePointer()
    pooledDropout.apply(
      rows: captions.count, columns: train.features.width, pooled, into: pooled, pool: .shared)

    let v = network.head.trainingForward(
      batch.features, dropout: Float(configuration.featureDropout), seed: headSeeds.next(), into: &traces.head
    )
    let logProbs = network.decoder.trainingForward(
      batch.captions, v: v,
      dropout: .init(
        embedding: Float(configuration.embeddingDropout), output: Float(configuration.outputDropout)),
      labelSmoothing: Float(configuration.labelSmoothing), seed: decoderSeeds.next(), into: &traces.decoder)
    let loss = -logProbs.reduce(0) { $0 + Double($1) }
    guard loss.isFinite else { throw TrainingError.diverged(step: state.step + 1, what: "the loss") }
    let dv = network.decoder.backward(&traces.decoder)
    network.head.backward(dv, &traces.head)

    adam.learningRate = Float(learningRate)
    let clip = configuration.clipNorm > 0 ? Float(configuration.clipNorm) : nil
    let norm = adam.update(&network, clipNorm: clip)
    guard norm.isFinite else { throw TrainingError.diverged(step: state.step + 1, what: "the gradient") }
    state.step += 1
    average.update(with: &network, step: state.step)
    state.lossSum += loss
    state.words += logProbs.count
    if state.step == 1 || state.step % 50 == 0 {
      try log.append(
        StepLine(
          step: state.step, epoch: state.epoch, loss: loss / Double(logProbs.count),
          gradient_norm: Double(norm), learning_rate: Double(adam.learningRate)))
    }
  }

  /// The learning rate of the next step.
  private var learningRate: Double {
    let perEpoch = (train.captions.count + configuration.batchSize - 1) / configuration.batchSize
    return state.schedule.learningRate(after: state.step, of: configuration.epochs * perEpoch, configuration)
  }

  private mutating func finishEpoch() throws {
    let averaged = average.applied(to: network)
    let validationLoss = loss(of: averaged)
    // A loss of many hundreds is as lost as one that is no number.
    guard exp(validationLoss).isFinite else {
      throw TrainingError.diverged(step: state.step, what: "the validation perplexity")
    }
    let rate = learningRate
    let verdict = state.schedule.observe(validationLoss, epoch: state.epoch, configuration)
    let trainingLoss = state.lossSum / Double(state.words)
    let seconds = state.seconds + elapsed
    if verdict == .improved { try writeModel(averaged, validationLoss: validationLoss) }
    try log.append(
      EpochLine(
        epoch: state.epoch, step: state.step, training_loss: trainingLoss, validation_loss: validationLoss,
        validation_perplexity: exp(validationLoss), learning_rate: rate, best: verdict == .improved,
        seconds: seconds))
    report(
      .message(
        String(
          format:
            "epoch %d: training loss %.4f, validation loss %.4f (perplexity %.2f)%@, learning rate %g, %@",
          state.epoch, trainingLoss, validationLoss, exp(validationLoss),
          verdict == .improved ? ", best so far" : "",
          rate, ProgressLine.duration(seconds))))
    state.finished = verdict == .finished
    (state.epoch, state.batch, state.lossSum, state.words) = (state.epoch + 1, 0, 0, 0)
    try writeCheckpoint()
    if state.finished {
      report(.message("validation has not improved for \(configuration.stopPatience) epochs: done"))
    }
  }

  /// Mean loss per word of the validation captions, whole, the unknown word and the end token counted.
  private func loss(of network: CaptionNetwork) -> Double {
    var trace = CaptionDecoder.Trace()
    var (sum, words) = (0.0, 0)
    // Captions of like length together: fewer, fuller time steps.
    let order = validation.captions.indices.sorted {
      (validation.captions[$0].count, $0) < (validation.captions[$1].count, $1)
    }
    for start in stride(from: 0, to: order.count, by: 200) {
      let batch = validation.batch(order[start..<min(order.count, start + 200)], scale: featureScale)
      let v = network.head.forward(batch.features)
      let logProbs = network.decoder.forward(batch.captions, v: v, into: &trace)
      sum -= logProbs.reduce(0) { $0 + Double($1) }
      words += logProbs.count
    }
    return sum / Double(words)
  }

  private var elapsed: Double { (ContinuousClock.now - sessionStart) / .seconds(1) }

  private mutating func writeCheckpoint() throws {
    var kept = state
    kept.seconds += elapsed
    kept.logLength = log.length
    try Checkpoint.write(to: folder + "/checkpoint.safetensors", network, adam, average, kept)
    lastCheckpoint = .now
  }

  /// The model file: the scale of the features goes into the first layer, W(s·x) = (s·W)x.
  private func writeModel(_ network: CaptionNetwork, validationLoss: Double) throws {
    var scaled = network
    scaled.head.layers[0].weight.value.withUnsafeMutableBufferPointer { weights in
      for index in weights.indices { weights[index] *= featureScale }
    }
    var described = description
    described.training = provenance(validationLoss)
    try ModelFile.write(
      described, scaled, convolutionsOf: encoder.file, prefix: encoder.prefix,
      type: configuration.precision, to: folder + "/model.safetensors")
  }

  private func provenance(_ validationLoss: Double) -> [String: String] {
    func name(_ path: String) -> String { path.split(separator: "/").last.map(String.init) ?? path }
    return [
      "captions": name(configuration.captions), "validation_captions": name(configuration.validationCaptions),
      "encoder": name(configuration.encoder), "training_captions": String(train.captions.count),
      "start": name(configuration.start), "consensus": String(configuration.consensus),
      "training_images": String(Set(train.rows).count), "seed": String(configuration.seed),
      "epoch": String(state.epoch), "step": String(state.step),
      "validation_perplexity": String(format: "%.3f", exp(validationLoss)),
    ]
  }
}

/// The lines of log.jsonl.
private struct StepLine: Encodable {
  let step, epoch: Int
  let loss, gradient_norm, learning_rate: Double
}

private struct EpochLine: Encodable {
  let epoch, step: Int
  let training_loss, validation_loss, validation_perplexity, learning_rate: Double
  let best: Bool
  let seconds: Double
}
