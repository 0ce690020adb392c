package import Models
internal import Foundation
package import Layers
internal import Support
package import Tensors

/// Where a run stands, beside its tensors.
struct RunState: Codable, Equatable {
  /// The epoch under way, from 1, and the batches of it that are done.
  var epoch = 1
  var batch = 0
  /// Steps taken in all epochs.
  var step = 0
  /// Steps taken before them; nil in checkpoints of earlier versions: none.
  var prepared: Int?
  /// Sum of the training loss (nats) and number of words of this epoch so far.
  var lossSum = 0.0
  var words = 0
  /// Sum of the mean rewards of this epoch's self-critical steps, and their number.
  var reward = 0.0
  var rewards = 0
  /// The log-probability that captions have lately had: what hard attention is measured by. Nil before the first step.
  var attentionBaseline: Double?
  /// Validation perplexity of the best epoch.
  var perplexity = 0.0
  /// Seconds spent, in all sittings.
  var seconds = 0.0
  var schedule: LearningRateSchedule
  /// Whether the run has ended by itself.
  var finished = false
  /// Bytes of log.jsonl that belong to what is done.
  var logLength = 0
  /// The words of the vocabulary, in order: they fix what the weights' rows mean.
  var vocabulary: [String]
  /// Names the captions, and which images they are about.
  var data: String
  /// Names the lists of images; nil in checkpoints of earlier versions, as the next two.
  var images: String?
  /// Names the convolutions, and how pixels become their input.
  var encoder: String?
  /// What pooled maps are multiplied by before the head.
  var scale: Double?
  /// What regions are multiplied by before they are attended to.
  var regionScale: Double?
  var configuration: TrainingConfiguration

  /// What tells this run from the one that `begun` is a state of, for people; empty: it may go on.
  func differences(from begun: RunState) -> [String] {
    var differences = configuration.differences(
      from: begun.configuration, isBetweenEpochs: begun.batch == 0)
    let count = differences.count
    if begun.vocabulary != vocabulary {
      differences.append("the captions give another vocabulary")
    } else if begun.data != data {
      differences.append("other captions, or other images that can be read")
    } else if let images = begun.images, images != self.images {
      differences.append("another list of images")
    }
    if let encoder = begun.encoder, encoder != self.encoder {
      differences.append(
        configuration.features.isEmpty
          ? "other convolutions, or another way from pixels to their input"
          : "other features of the training images")
    }
    // What may have led to them.
    if differences.count > count {
      differences += configuration.changes(from: begun.configuration) { $0 == .byContent }
    }
    return differences
  }

  /// Where the run goes on that `begun` is a state of, with these options.
  func goingOn(from begun: RunState) -> RunState {
    var result = begun
    result.configuration = configuration
    result.images = images
    result.encoder = encoder
    result.scale = scale
    result.regionScale = regionScale
    result.schedule = schedule.goingOn(from: begun.schedule)
    // More patience, or another rate, is another chance.
    result.finished = begun.finished && result.schedule.isExhausted
    return result
  }

  /// Takes in the mean log-probability of a step's captions.
  mutating func observe(captionLogProb: Double, _ decay: Double) {
    attentionBaseline = attentionBaseline.map { decay * $0 + (1 - decay) * captionLogProb } ?? captionLogProb
  }

  /// On to the next epoch.
  mutating func beginEpoch() {
    epoch += 1
    batch = 0
    lossSum = 0
    words = 0
    reward = 0
    rewards = 0
  }

  /// Whether a run can have got there.
  var isPossible: Bool {
    let counts = [epoch - 1, batch, step, prepared ?? 0, words, rewards, logLength]
    return counts.allSatisfy((0..<1 << 48).contains) && (batch > 0) == (words > 0) && seconds >= 0
      && schedule.isPossible && scale.map { $0 > 0 && $0.isFinite } ?? true
      && attentionBaseline?.isFinite ?? true
  }
}

/// A checkpoint file: weights, optimiser and average as tensors, and the state as metadata.
package enum Checkpoint {
  /// What its metadata call it.
  static let format = "captioner checkpoint"

  static func write(
    to path: String, _ module: some Module, _ optimizers: [Optimizer], _ average: WeightAverage,
    _ state: RunState
  ) throws {
    try write(
      to: path, module, optimizers, average,
      metadata: [
        "format": Self.format, "format_version": "1", "state": try canonicalJSON(state, .snakeCase),
      ])
  }

  /// The same of any run: its tensors, and what its metadata say of where it stands.
  /// - Parameter others: tensors beside them.
  package static func write(
    to path: String, _ module: some Module, _ optimizers: [Optimizer], _ average: WeightAverage,
    _ others: [SafetensorsWriter.Item] = [], metadata: [String: String]
  ) throws {
    var items = others
    for parameter in module.parameters {
      items.append(.init(name: parameter.path, tensor: parameter.value))
      for optimizer in optimizers {
        for (name, moment) in zip(optimizer.rule.momentNames, optimizer.moments[parameter.path] ?? []) {
          items.append(.init(name: "\(name).\(parameter.path)", tensor: moment))
        }
      }
      if let mean = average.values[parameter.path] {
        items.append(.init(name: "average." + parameter.path, tensor: mean))
      }
    }
    try SafetensorsWriter.write(items, metadata: metadata, to: path)
  }

  /// The state only: enough to see whether the checkpoint fits.
  static func state(in file: SafetensorsFile) throws(ModelError) -> RunState {
    guard file.metadata["format"] == Self.format, file.metadata["format_version"] == "1",
      let text = file.metadata["state"]
    else {
      throw .unsupported(
        path: file.path, expected: "a captioner checkpoint, version 1",
        found: [file.metadata["format"], file.metadata["format_version"]].compactMap(\.self).joined(
          separator: " "))
    }
    // Leaves the keys of earlier versions, which are in camelCase, as they are.
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    guard var state = try? decoder.decode(RunState.self, from: Data(text.utf8)), state.isPossible else {
      throw .unsupported(
        path: file.path, expected: "the state of a run (metadata key state)", found: String(text.prefix(80)))
    }
    state.configuration = state.configuration.ofARun
    return state
  }

  /// Puts the tensors of a module back, whose optimiser has taken `step` steps. Every one must be there with the
  /// module's shape.
  /// - Parameter isPartial: some parameters may not have learned yet; the optimiser remembers nothing of them.
  package static func restore<M: Module>(
    _ file: SafetensorsFile, step: Int, isPartial: Bool = false, _ module: inout M,
    _ optimizer: inout Optimizer, _ average: inout WeightAverage
  ) throws(ModelError) {
    var moments: [String: [Tensor]] = [:]
    var means: [String: Tensor] = [:]
    do throws(SafetensorsError) {
      try module.visitParameters { (parameter: inout Parameter) throws(SafetensorsError) in
        let shape = parameter.value.shape
        parameter.value = try file.tensor(named: parameter.path, shape: shape)
        let names = optimizer.rule.momentNames
        let isThere = !isPartial || names.contains { file.entries["\($0).\(parameter.path)"] != nil }
        if step > 0 && parameter.learns && isThere {
          moments[parameter.path] = try names.map { (name) throws(SafetensorsError) in
            try file.tensor(named: "\(name).\(parameter.path)", shape: shape)
          }
        }
        if average.values[parameter.path] != nil {
          means[parameter.path] = try file.tensor(named: "average." + parameter.path, shape: shape)
        }
      }
    } catch { throw .weights(error) }
    optimizer.restore(step: step, moments: moments)
    average.restore(means)
  }
}
