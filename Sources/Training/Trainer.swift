public import Models
internal import Datasets
internal import Decoding
internal import Evaluation
internal import CaptionMetrics
internal import Foundation
internal import Kernels
internal import Language
internal import Layers
public import Support
public import Tensors

/// The loop of a training run over cached features: the FC head, the decoder and, where the run wants it, the last
/// convolutions learn by teacher forcing, with scheduled sampling or self-critical training beside it.
///
/// Everything random is drawn from streams named by seed and step, so a run that is interrupted and resumed
/// computes exactly what an uninterrupted one does. Several processes share every batch: each learns from its part,
/// their gradients are added up, and all change the weights alike; rank 0 validates, writes and reports.
public struct Trainer {
  /// What happens as the run goes, for whoever watches.
  public enum Event: Sendable {
    /// Something worth a line.
    case message(String)
    /// Batches done in the epoch, of how many, and the epoch's mean loss so far (nats per word); epoch 0 is a stage
    /// before the captions, and its loss that of the step.
    case progress(epoch: Int, batch: Int, batches: Int, loss: Double)
    /// An epoch is over and logged.
    case epoch(TrainingRecord.Epoch)
  }

  let configuration: TrainingConfiguration
  private(set) var description: ModelDescription
  let train: EncodedSplit
  let validation: Validation
  let encoder: (file: SafetensorsFile, prefix: String)
  let folder: String
  /// What computes the steps: in the arithmetic of the run. What is validated and kept is computed in float32.
  let device: Device
  /// Told what happens.
  public var report: (Event) -> Void = { _ in }
  /// Asked between batches whether the run is to end.
  public var shouldStop: () -> Bool = { false }
  /// The processes that share every batch.
  let group: any ProcessGroup

  /// What each step consists of.
  let mixture: TrainingMixture
  var network: TrainedNetwork
  var optimizer: Optimizer
  var encoderOptimizer: Optimizer
  var average: WeightAverage
  var state: RunState
  /// Of rank 0.
  private(set) var log: RunLog?
  private let selfCritical: SelfCritical?
  var traces = (head: FeatureHead.Trace(), decoder: DecoderTrace())
  private var sessionStart = ContinuousClock.now
  private var lastCheckpoint = ContinuousClock.now
  var isFirst = true

  /// Sets a run up in `folder`, or takes up the one that is there.
  /// - Parameter group: the processes that share it, of which each is told the same.
  /// - Throws: `TrainingError`, `ModelError`, `FileError`.
  public init(
    _ configuration: TrainingConfiguration, _ description: ModelDescription, _ data: TrainingData,
    encoder: (file: SafetensorsFile, prefix: String), folder: String, resume: Bool,
    among group: any ProcessGroup = OneProcess()
  ) throws {
    let (train, validation) = (data.train, data.validation)
    let problem = configuration.problem ?? configuration.problem(ofSharing: group, description.encoder)
    if let problem { throw TrainingError.configuration(problem) }
    guard !train.captions.isEmpty, !validation.captions.isEmpty else {
      throw TrainingError.configuration("expected captions to train and to validate on, found none")
    }
    if let idle = configuration.idleWeight(in: train) { throw TrainingError.configuration(idle) }
    self.configuration = configuration
    self.description = description
    self.train = train
    self.folder = folder
    self.encoder = encoder
    self.group = group
    device = Device.cpu.multiplying(configuration.arithmetic)
    var random = Random(seed: configuration.seed, stream: RandomStream.initialisation.rawValue)
    let begins = !configuration.start.isEmpty && !resume
    // A head that comes with the encoder is where training starts; its input is not rescaled then. A model that the run
    // begins from has a head of its own.
    let (found, wanted) = (
      try? VGGArchitecture(weights: encoder.file, prefix: encoder.prefix), description.encoder
    )
    let headIsThere =
      !begins && found?.head == wanted.head && found?.featureSize == wanted.featureSize
      && found?.activation == wanted.activation && found?.normalizationText == wanted.normalizationText
    func initial(_ parameter: ParameterSpecification) throws(SafetensorsError) -> Tensor {
      let key = parameter.path.replacingOccurrences(of: ModelFile.encoderPrefix, with: encoder.prefix)
      let isThere = parameter.path.hasPrefix(ModelFile.encoderPrefix + "features") || headIsThere
      return isThere && parameter.path.hasPrefix(ModelFile.encoderPrefix)
        ? try encoder.file.tensor(named: key, shape: parameter.shape)
        : parameter.untrained(using: &random, forgetBias: Float(configuration.forgetBias))
    }
    let cut = description.encoder.cut(before: configuration.fineTuneFrom)
    network = TrainedNetwork(
      try CaptionNetwork(description, from: initial), description,
      convolutions: try cut.map { try TrainableConvolutions($0, from: initial) },
      mapShape: cut?.mapShape(
        height: description.preprocessing.height, width: description.preprocessing.width) ?? [0],
      microBatch: configuration.microBatch > 0 ? configuration.microBatch : nil)
    network.freezesStatistics = configuration.freezeStatistics
    network.sideTasks = SideTasks(
      configuration, data.beside, description.encoder, beside: network.captions)
    mixture = TrainingMixture(configuration, data, BatchShare(rank: group.rank, count: group.size))
    let path = folder + "/checkpoint.safetensors"
    let exists = FileManager.default.fileExists(atPath: path)
    if resume && !exists { throw TrainingError.nothingToResume(path: path) }
    if !resume && exists { throw TrainingError.alreadyThere(path: path) }
    let checkpoint = try resume ? SafetensorsFile(path: path) : nil
    let begun = try checkpoint.map { try Checkpoint.state(in: $0) }
    let start =
      try begins
      ? ModelStart(configuration.start, for: description, encoder: encoder, learning: network.learningPaths)
      : nil
    if let start, start.hasNormalization {
      try start.applyNormalization(to: &network)
    } else if !resume && !headIsThere {
      try network.measure(train, configuration, on: .cpu)
    }
    let isUnscaled =
      (begun?.scale == nil && !headIsThere) || (begun?.regionScale == nil && description.tap == .map)
    let deviation = isUnscaled ? network.deviation(train, on: .cpu) : .none
    if let scale = begun?.scale {
      network.scale = Float(scale)
    } else if !headIsThere {
      network.scale = Float(1 / deviation.pooled)
    }
    self.description.decoder.attention?.scale = Float(begun?.regionScale ?? 1 / deviation.regions)
    if let start {
      try start.apply(to: &network)
      // Its regions' weights go with its scale of regions.
      if let scale = start.regionScale { self.description.decoder.attention?.scale = scale }
      // So do weights of features that no head comes before.
      if let scale = start.featureScale { network.scale = scale }
    }
    network.description = self.description
    self.validation = Validation(
      validation, vocabulary: description.vocabulary, meteor: data.meteor)
    selfCritical = SelfCritical(configuration, train, description.vocabulary)
    optimizer = Optimizer(
      configuration.optimizer, learningRate: Float(configuration.learningRate),
      weightDecay: Float(configuration.weightDecay))
    encoderOptimizer = Optimizer(
      configuration.encoderOptimizer, learningRate: Float(configuration.encoderLearningRate),
      weightDecay: Float(configuration.encoderWeightDecay))
    average = WeightAverage(of: network, decay: configuration.averageDecay)
    state = RunState(
      schedule: configuration.learningRates(stepsPerEpoch: configuration.steps(of: train)),
      vocabulary: description.vocabulary.words,
      data: ["\(train.fingerprint) \(validation.fingerprint)", data.beside.fingerprint].filter { !$0.isEmpty }
        .joined(separator: " "),
      images: "\(train.fingerprintOfNames) \(validation.fingerprintOfNames)", encoder: train.photos.key,
      scale: Double(network.scale), regionScale: self.description.decoder.attention.map { Double($0.scale) },
      configuration: configuration)
    if let begun, let file = checkpoint {
      let differences = state.differences(from: begun)
      guard differences.isEmpty else { throw TrainingError.otherRun(path: path, differences: differences) }
      state = state.goingOn(from: begun)
      if configuration.teacherScoresWeight == 0, state.prepared ?? 0 >= configuration.teacherSteps {
        network.sideTasks.scores = nil
        average = WeightAverage(of: network, decay: configuration.averageDecay)
      }
      let convolutions = network.convolutions
      network.convolutions = nil
      try Checkpoint.restore(
        file, step: state.optimizerSteps, isPartial: state.step == 0, &network, &optimizer, &average)
      network.convolutions = convolutions
      if network.convolutions != nil {
        try Checkpoint.restore(
          file, step: max(0, state.step - configuration.fineTuneAfter), &network.convolutions!,
          &encoderOptimizer,
          &average)
      }
    }
    log = group.isFirst ? try RunLog(path: folder + "/log.jsonl", length: state.logLength) : nil
  }

  /// Runs to the end: the last epoch, or validation that no longer improves.
  /// - Returns: the best validation perplexity per word.
  /// - Throws: `TrainingError.diverged`, `.interrupted` (the checkpoint is written); file errors.
  public mutating func run() throws -> Double {
    sessionStart = .now
    lastCheckpoint = .now
    try prepare()
    while state.epoch <= configuration.epochs && !state.finished {
      try runEpoch()
      try finishEpoch()
    }
    return state.perplexity
  }

  private mutating func runEpoch() throws {
    let batches = configuration.batches(of: train, epoch: state.epoch)
    while state.batch < batches.count {
      try stopIfAsked()
      try step(batches[state.batch])
      state.batch += 1
      report(
        .progress(
          epoch: state.epoch, batch: state.batch, batches: batches.count,
          loss: state.lossSum / Double(state.words))
      )
      try writeCheckpointIfDue()
    }
  }

  /// Ends the run, its state kept, if somebody wants it of any process.
  mutating func stopIfAsked() throws {
    guard try group.sums([shouldStop() ? 1 : 0])[0] > 0 else { return }
    try writeCheckpoint()
    throw TrainingError.interrupted(path: folder)
  }

  /// Keeps the state every ten minutes, by the clock of rank 0.
  mutating func writeCheckpointIfDue() throws {
    let isDue = ContinuousClock.now - lastCheckpoint > .seconds(600)
    if try group.broadcast([isDue ? 1 : 0])[0] > 0 { try writeCheckpoint() }
  }

  /// One batch: forward, loss, backward, clip, update, average.
  private mutating func step(_ chosen: ArraySlice<Int>) throws {
    func random(_ stream: RandomStream) -> Random { mixture.random(stream, step: state.step) }
    var (headSeeds, drawing) = (random(.headDropout), random(.drawnCaptions))
    var decoderSeeds = random(.decoderDropout)
    var batch = mixture.batch(chosen, step: state.step)
    var seen = network.seen(
      batch.features, transforming: state.step == 0 || convolutionsLearn || isFirst,
      learning: convolutionsLearn, on: device)
    isFirst = false
    if let selfCritical {
      let images = network.features(v: network.captions.head.forward(seen.pooled, on: device), seen)
      if let reward = selfCritical.reinforce(
        &batch, about: images, network.captions.decoder, using: &drawing, on: device)
      {
        state.reward += reward
        state.rewards += 1
      }
    }
    var packed = batch.packed()
    let pooledDropout = Dropout(
      rate: Float(configuration.pooledDropout), seed: headSeeds.next(), rows: batch.rowsOfWhole)
    pooledDropout.apply(&seen.pooled, on: device)
    let featureDropout = Dropout(
      rate: Float(configuration.featureDropout), seed: headSeeds.next(), rows: batch.rowsOfWhole)
    let v = network.captions.head.trainingForward(
      seen.pooled, featureDropout, into: &traces.head, on: device)
    var images = network.features(v: v, seen)
    if batch.hasText { images = images.withUnseen() }
    let pass = pass(packed, using: &decoderSeeds)
    packed.sequences = configuration.scheduledSampling.applied(
      to: packed.sequences, about: images, by: network.captions.decoder, pass.dropout, step: state.step,
      random(.scheduledSampling), on: device)
    let logProbs = decoderForward(packed, about: images, pass)
    let losses = try group.sums(packed.losses(logProbs))
    let (loss, words) = (losses[0], packed.words)
    let step = state.step + 1
    // No caption is this unlikely unless training has blown up.
    guard loss.isFinite, loss < 1000 * Double(words) else {
      throw TrainingError.diverged(step: step, what: "the loss")
    }
    var gradients = decoderBackward(packed, about: images)
    if batch.hasText { gradients.v = gradients.v.copied(rows: Array(0..<v.shape[0])) }
    let own = network.learn(
      beside: batch, v: v, dv: &gradients.v, SideWeights(configuration), on: device)
    let beside = try group.sums(own)
    guard beside.areFinite else { throw TrainingError.diverged(step: step, what: "the loss beside captions") }
    var dPooled = Tensor(uninitialized: seen.pooled.shape)
    network.captions.head.backward(
      gradients.v, &traces.head, into: convolutionsLearn ? dPooled.mutablePointer() : nil, on: device)
    let norm = try update(step: step) { [device] in
      pooledDropout.apply(&dPooled, on: device)
      $0.backward(dPooled, seen, regions: gradients.regions, on: device)
    }
    let epsilon = configuration.scheduledSampling.epsilon(step: state.step)
    state.step = step
    average.update(with: &network, step: step, part: group.part, on: device)
    if configuration.conditioning == .hardAttention {
      state.observe(captionLogProb: -loss / Double(packed.taughtCaptions), configuration.rewardBaselineDecay)
    }
    state.lossSum += loss
    state.words += words
    if step == 1 || step % 50 == 0 {
      try log?.append(
        TrainingRecord.Step(
          step: step, epoch: state.epoch, loss: loss / Double(words), gradient_norm: Double(norm),
          learning_rate: Double(optimizer.learningRate), epsilon: epsilon,
          text_loss: packed.textWords > 0 ? losses[1] / Double(packed.textWords) : nil,
          label_loss: beside.labels, teacher_loss: beside.scores))
    }
  }

  /// What a step does beside teacher forcing. Where a batch is shared, what is a mean over it is a part of the whole's.
  private func pass(_ packed: TrainingBatch.Packed, using seeds: inout Random) -> TrainingPass {
    let dropout = DropoutPass(configuration.decoderDropout, seed: seeds.next(), rows: packed.rows)
    var drawn = configuration.drawnRegions(seed: seeds.next(), baseline: state.attentionBaseline)
    drawn?.rows = packed.rows
    drawn?.entropyWeight *= packed.shares.positions
    return TrainingPass(
      dropout: dropout,
      labelSmoothing: Float(configuration.labelSmoothing), weights: packed.weights,
      attentionPenalty: Float(configuration.attentionPenalty) * packed.shares.sequences,
      attentionSampling: drawn,
      reconstructionWeight: Float(configuration.reconstructionWeight) * packed.shares.positions,
      regionsLearn: convolutionsLearn)
  }

  /// Whether the next step changes the convolutions.
  private var convolutionsLearn: Bool {
    network.convolutions != nil && state.step >= configuration.fineTuneAfter
  }

  /// Changes the parameters by their gradients; those of the convolutions are made by `backward` first, if they learn.
  /// - Returns: the norm of the gradient of head and decoder.
  private mutating func update(step: Int, backward: (inout TrainedNetwork) -> Void) throws -> Float {
    optimizer.learningRate = Float(learningRate)
    if convolutionsLearn { backward(&network) }
    if let culprit = try network.addUpGradients(among: group) {
      throw TrainingError.diverged(step: step, what: "the gradient of \(culprit)")
    }
    if convolutionsLearn {
      encoderOptimizer.learningRate = Float(
        learningRate / configuration.learningRate * configuration.encoderLearningRate)
      try encoderOptimizer.update(&network.convolutions!, clipNorm: clip, among: group, on: device)
    }
    let norm = try updateAllButConvolutions()
    try network.shareValues(among: group)
    return norm
  }

  private var clip: Float? { configuration.clipNorm > 0 ? Float(configuration.clipNorm) : nil }

  /// Changes head, decoder and what learns beside them; of several processes, each its part.
  /// - Returns: the norm of their gradient.
  @discardableResult
  mutating func updateAllButConvolutions() throws -> Float {
    try network.withoutConvolutions { [device, group, clip] in
      try optimizer.update(&$0, clipNorm: clip, among: group, on: device)
    }
  }

  /// The learning rate of the next step.
  var learningRate: Double { state.schedule.learningRate(after: state.step) }

  var elapsed: Double { (ContinuousClock.now - sessionStart) / .seconds(1) }

  mutating func writeCheckpoint() throws {
    try shareOptimization()
    lastCheckpoint = .now
    guard let log else { return }
    var kept = state
    kept.seconds += elapsed
    kept.logLength = log.length
    try Checkpoint.write(
      to: folder + "/checkpoint.safetensors", network, [optimizer, encoderOptimizer], average, kept)
    lastCheckpoint = .now
  }
}
