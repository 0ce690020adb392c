internal import Decoding
internal import Foundation
internal import Kernels
internal import Layers
internal import Models
internal import Support
internal import Tensors
internal import Training

/// The texts of a run, as its vocabulary has them.
struct LanguageModelData {
  let train: EncodedText
  /// Nil: nothing is validated on.
  let validation: EncodedText?

  /// Names them.
  var fingerprint: String { "\(train.fingerprint) \(validation?.fingerprint ?? "none")" }
}

/// The loop: truncated backpropagation through time over the chunks of a text, the state carried from one to the next.
///
/// Everything random is drawn from streams named by seed and step, so a run that is interrupted and resumed computes
/// exactly what an uninterrupted one does.
struct LanguageModelTrainer<Network: LanguageNetwork> {
  private let configuration: LanguageModelConfiguration
  private let description: LanguageModelDescription
  private let streams: TextStreams
  private let validation: EncodedText?
  private let folder: String
  private let device: Device
  private let schedule: LearningRateSchedule
  private let report: (LanguageModelRun.Event) -> Void
  private let shouldStop: () -> Bool

  private var network: Network
  private var optimizer: Optimizer
  private var average: WeightAverage
  private var states: CarriedStates<Network.Cell>
  private var trace = LanguageTrace<Network.Cell>()
  private(set) var state: LanguageModelState
  private var log: RunLog
  private var sessionStart = ContinuousClock.now
  private var lastCheckpoint = ContinuousClock.now

  /// Sets a run up, or takes up the one whose checkpoint is given.
  init(
    _ network: Network, _ description: LanguageModelDescription, _ data: LanguageModelData,
    _ run: LanguageModelRun, checkpoint: SafetensorsFile?, shouldStop: @escaping () -> Bool,
    report: @escaping (LanguageModelRun.Event) -> Void
  ) throws {
    configuration = run.configuration
    folder = run.folder
    self.description = description
    self.network = network
    self.shouldStop = shouldStop
    self.report = report
    validation = data.validation
    device = Device.cpu.multiplying(configuration.arithmetic)
    streams = TextStreams(
      data.train.tokens, count: configuration.batchSize, chunkLength: configuration.sequenceLength)
    states = CarriedStates(
      layers: network.stack.layers.count, streams: streams.count, hidden: network.stack.hidden)
    schedule = configuration.learningRates(steps: configuration.totalSteps(streams))
    optimizer = Optimizer(
      configuration.optimizer, learningRate: Float(configuration.learningRate),
      weightDecay: Float(configuration.weightDecay))
    average = WeightAverage(of: network, decay: configuration.averageDecay)
    state = LanguageModelState(
      configuration, vocabulary: description.vocabulary, data: data.fingerprint)
    if let checkpoint {
      let begun = try LanguageModelState(of: checkpoint)
      let differences = try state.differences(from: begun)
      guard differences.isEmpty else {
        throw TrainingError.otherRun(path: checkpoint.path, differences: differences)
      }
      state = begun
      state.configuration = configuration
      try Checkpoint.restore(checkpoint, step: state.step, &self.network, &optimizer, &average)
      do throws(SafetensorsError) {
        try states.restore { (name, shape) throws(SafetensorsError) in
          try checkpoint.tensor(named: name, shape: shape)
        }
      } catch { throw ModelError.weights(error) }
    }
    log = try RunLog(path: folder + "/log.jsonl", length: state.logLength)
  }

  /// Runs to the end.
  /// - Throws: `TrainingError.diverged`, `.interrupted` (the checkpoint is written); file errors.
  mutating func run() throws {
    sessionStart = .now
    lastCheckpoint = .now
    let total = configuration.totalSteps(streams)
    while state.step < total {
      try stopIfAsked()
      try step()
      report(
        .progress(
          step: state.step, steps: total, tokens: streams.chunkTokens, smoothLoss: state.smoothLoss))
      let isEpochOver = state.chunk == streams.chunks
      if isEpochOver { endEpoch() }
      let every = configuration.validateEvery
      if (every > 0 ? state.step % every == 0 : isEpochOver) || state.step == total { try validate() }
      if ContinuousClock.now - lastCheckpoint > .seconds(600) { try writeCheckpoint() }
    }
  }

  private mutating func stopIfAsked() throws {
    guard shouldStop() else { return }
    try writeCheckpoint()
    throw TrainingError.interrupted(path: folder)
  }

  /// On to the next epoch, which begins with zero states.
  private mutating func endEpoch() {
    state.chunk = 0
    state.epoch += 1
    states = CarriedStates(
      layers: network.stack.layers.count, streams: streams.count, hidden: network.stack.hidden)
  }

  /// One chunk: forward, loss, backward, clip, update, average.
  private mutating func step() throws {
    let step = state.step + 1
    let epoch = state.epoch
    var seeds = Random(seed: configuration.seed, stream: Self.dropoutStream, UInt64(step))
    let pass = LanguagePass(
      dropout: DropoutPass(configuration.dropout, seed: seeds.next()), isSummed: configuration.summedLoss)
    let logProbabilities = network.learn(
      streams.chunk(state.chunk), pass, carrying: &states, trace: &trace, on: device)
    var nats = 0.0
    for value in logProbabilities { nats -= Double(value) }
    let loss = nats / Double(logProbabilities.count)
    // No text is this unlikely unless training has blown up.
    guard loss.isFinite, loss < 1000 else { throw TrainingError.diverged(step: step, what: "the loss") }
    optimizer.learningRate = Float(schedule.learningRate(after: state.step))
    let norm = optimizer.update(
      &network, clipNorm: configuration.clipNorm > 0 ? Float(configuration.clipNorm) : nil,
      clipValue: configuration.clipValues > 0 ? Float(configuration.clipValues) : nil, on: device)
    guard norm.isFinite else {
      throw TrainingError.diverged(
        step: step, what: "the gradient" + (network.notFinite.map { " of \($0)" } ?? ""))
    }
    average.update(with: &network, step: step, on: device)
    state.step = step
    state.chunk += 1
    state.lossSum += nats
    state.tokens += logProbabilities.count
    state.smoothLoss = state.smoothLoss * 0.999 + loss * 0.001
    if step == 1 || step % configuration.logEvery == 0 {
      try log.append(
        LanguageModelRecord.Step(
          step: step, epoch: epoch, loss: loss, smooth_loss: state.smoothLoss,
          gradient_norm: Double(norm), learning_rate: Double(optimizer.learningRate)))
    }
  }

  /// The stream of the masks' seeds.
  private static var dropoutStream: UInt64 { 2 }

  /// Scores the held-out text, and keeps the model if it is the best so far.
  private mutating func validate() throws {
    let averaged = average.applied(to: network)
    var loss: Double?
    if let validation {
      let nats = averaged.bits(of: validation.tokens, streams: nil, on: .cpu) * Foundation.log(2)
      loss = nats / Double(validation.tokens.count - 1)
    }
    guard loss?.isFinite ?? true else {
      throw TrainingError.diverged(step: state.step, what: "the loss of the held-out text")
    }
    let isBest = loss.map { $0 < state.best ?? .infinity } ?? true
    let record = LanguageModelRecord.Validation(
      epoch: state.chunk == 0 ? state.epoch - 1 : state.epoch, step: state.step,
      training_loss: state.lossSum / Double(max(1, state.tokens)), validation_loss: loss,
      bits_per_token: loss.map { $0 / Foundation.log(2) }, perplexity: loss.map { exp($0) }, best: isBest,
      learning_rate: Double(optimizer.learningRate), seconds: state.seconds + elapsed)
    if isBest {
      state.best = loss
      try write(averaged, record)
    }
    try log.append(record)
    report(.validated(record))
    state.lossSum = 0
    state.tokens = 0
    try writeCheckpoint()
  }

  private func write(_ network: Network, _ record: LanguageModelRecord.Validation) throws {
    var description = description
    description.training = [
      "epoch": "\(record.epoch)", "step": "\(record.step)", "seed": "\(configuration.seed)",
      "text": configuration.text.map { ($0 as NSString).lastPathComponent }.joined(separator: ", "),
    ]
    if let bits = record.bits_per_token {
      description.training["bits_per_\(description.unit.singular)"] = String(format: "%.4f", bits)
    }
    try LanguageModel(description, network).write(
      to: folder + "/model.safetensors", type: configuration.precision)
  }

  private var elapsed: Double { (ContinuousClock.now - sessionStart) / .seconds(1) }

  private mutating func writeCheckpoint() throws {
    var kept = state
    kept.seconds += elapsed
    kept.logLength = log.length
    try Checkpoint.write(
      to: LanguageModelRun.checkpointPath(in: folder), network, [optimizer], average,
      states.named.map { .init(name: $0.name, tensor: $0.tensor) }, metadata: kept.metadata())
    lastCheckpoint = .now
  }
}

extension LanguageModelConfiguration {
  /// The rates of a step's masks.
  fileprivate var dropout: DropoutPass.Rates {
    DropoutPass.Rates(
      embedding: Float(embeddingDropout), output: Float(outputDropout), layers: Float(layerDropout))
  }

  /// The steps of a run over these streams.
  func totalSteps(_ streams: TextStreams) -> Int {
    let (all, overflows) = epochs.multipliedReportingOverflow(by: streams.chunks)
    let most = overflows ? Int.max : all
    return steps > 0 ? min(steps, most) : most
  }
}
