import Foundation
import Kernels
import Layers
import Models
import Tensors
import TestSupport
import Testing

@testable import Training

@Suite struct ResumeTests {
  /// What a run leaves that is asked to stop before a batch and then resumed.
  private static func interrupted(_ run: TinyRun, before batch: Int) throws -> Outcome {
    let folder = run.folder + "/parts"
    var calls = 0
    var trainer = try run.trainer(
      in: folder,
      shouldStop: {
        calls += 1
        return calls == batch
      })
    #expect(throws: TrainingError.interrupted(path: folder)) { try trainer.run() }
    return try run.outcome("parts", resume: true)
  }

  /// Asked to stop before a batch (three an epoch), then resumed: what the uninterrupted run leaves, byte for byte.
  @Test(arguments: [1, 2, 4, 6, 9]) func anInterruptedRunEndsAsAnUninterruptedOne(batch: Int) throws {
    try withTemporaryFolder { folder in
      let run = try TinyRun(in: folder)
      let whole = try run.outcome("whole")
      #expect(try Self.interrupted(run, before: batch) == whole)
    }
  }

  /// Stopped before every single batch.
  @Test func manySittingsAreAsOne() throws {
    try withTemporaryFolder { folder in
      let run = try TinyRun(in: folder)
      let whole = try run.outcome("whole")
      var sittings = 0
      while true {
        var steps = 0
        var trainer = try run.trainer(
          in: folder + "/parts", resume: sittings > 0,
          shouldStop: {
            steps += 1
            return steps > 1
          })
        sittings += 1
        do {
          let perplexity = try trainer.run()
          #expect(try Outcome(folder + "/parts", perplexity) == whole)
          break
        } catch TrainingError.interrupted { try #require(sittings < 20) }
      }
      #expect(sittings == 9)
    }
  }

  /// Killed: what the folder held after each batch and each message of the run, resumed.
  @Test func aKilledRunEndsAsAnUninterruptedOne() throws {
    try withTemporaryFolder { folder in
      let run = try TinyRun(in: folder)
      let whole = folder + "/whole"
      var snapshots: [String] = []
      var trainer = try run.trainer(
        in: whole,
        report: { _ in
          guard FileManager.default.fileExists(atPath: whole + "/checkpoint.safetensors") else { return }
          snapshots.append("snapshot\(snapshots.count)")
          try? FileManager.default.copyItem(atPath: whole, toPath: "\(folder)/\(snapshots.last!)")
        })
      let expected = try Outcome(whole, try trainer.run())
      #expect(snapshots.count == 8)  // two epochs of three batches and a message
      for snapshot in snapshots {
        #expect(try run.outcome(snapshot, resume: true) == expected, "\(snapshot)")
      }
    }
  }

  @Test func moreEpochsContinueARun() throws {
    try withTemporaryFolder { folder in
      let run = try TinyRun(in: folder)
      let whole = try run.outcome("whole")
      run.configuration.epochs = 1
      _ = try run.outcome("parts")
      run.configuration.epochs = 3
      #expect(try run.outcome("parts", resume: true) == whole)
    }
  }

  @Test(arguments: TrainingConfiguration.Schedule.allCases)
  func withOtherOptionsToo(schedule: TrainingConfiguration.Schedule) throws {
    try withTemporaryFolder { folder in
      let run = try TinyRun(in: folder)
      (run.configuration.averageDecay, run.configuration.views) = (0, 1)
      (run.configuration.schedule, run.configuration.pooledDropout) = (schedule, 0.2)
      let whole = try run.outcome("whole")
      var calls = 0
      var trainer = try run.trainer(
        in: folder + "/parts",
        shouldStop: {
          calls += 1
          return calls == 5
        })
      #expect(throws: TrainingError.interrupted(path: folder + "/parts")) { try trainer.run() }
      #expect(try run.outcome("parts", resume: true) == whole)
    }
  }

  /// Of every cell, in layers with everything that they may have; and its model file is what was trained.
  @Test(arguments: CellName.allCases) func withEveryCell(cell: CellName) throws {
    try withTemporaryFolder { folder in
      let run = try TinyRun(in: folder)
      (run.configuration.cell, run.configuration.embeddingSize) = (cell, run.configuration.hiddenSize)
      (run.configuration.layers, run.configuration.residual, run.configuration.epochs) = (2, true, 1)
      (run.configuration.averageDecay, run.configuration.precision) = (0, .float32)
      let whole = try run.outcome("whole")
      #expect(try Self.interrupted(run, before: 2) == whole)
      let file = try SafetensorsFile(path: folder + "/whole/model.safetensors")
      let description = try ModelDescription(of: file)
      #expect(description.decoder.cell == cell && description.decoder.isResidual)
      let decoder = try ModelFile.network(file, description).decoder
      #expect(decoder.parameters.count > 6)
      for parameter in decoder.parameters {
        #expect(whole.tensors[parameter.path] == parameter.value, "\(parameter.path)")
      }
    }
  }

  /// However the image enters; and the model file is what was trained.
  @Test(arguments: ConditioningName.allCases) func withEveryConditioning(conditioning: ConditioningName)
    throws
  {
    try withTemporaryFolder { folder in
      let run = try TinyRun(in: folder, fineTuning: true)
      (run.configuration.conditioning, run.configuration.regionSize) = (conditioning, 5)
      (run.configuration.attentionSize, run.configuration.multimodalSize) = (4, 7)
      run.configuration.memorySize = 7
      (run.configuration.averageDecay, run.configuration.precision) = (0, .float32)
      let whole = try run.outcome("whole")
      #expect(try Self.interrupted(run, before: 5) == whole)
      let file = try SafetensorsFile(path: folder + "/whole/model.safetensors")
      let description = try ModelDescription(of: file)
      #expect(description.decoder.conditioning == conditioning)
      for parameter in try ModelFile.network(file, description).decoder.parameters {
        #expect(whole.tensors[parameter.path] == parameter.value, "\(parameter.path)")
      }
    }
  }

  /// With everything random at once.
  @Test(arguments: [1, 4, 8]) func withDrawnWordsAndCaptions(batch: Int) throws {
    try withTemporaryFolder { folder in
      let run = try TinyRun(in: folder)
      run.configuration.scheduledSampling.curve = .inverseSigmoid
      (run.configuration.selfCriticalSamples, run.configuration.validationMetric) = (3, .cider)
      (run.configuration.batchUnit, run.configuration.batchSize) = (.images, 2)
      let whole = try run.outcome("whole")
      #expect(try Self.interrupted(run, before: batch) == whole)
    }
  }

  /// What a run may do beside, each with random choices and running values of its own.
  enum Extra: CaseIterable {
    /// The last convolution learns from the fifth step on.
    case convolutions
    case layers, lengthBuckets
    /// Top-down attention to regions of a map that learns.
    case attention
    /// Batch normalisation whose running statistics follow, and whitened features.
    case normalization
    /// The same with statistics that stay, in micro-batches, and standardized features.
    case frozenStatistics
    /// A slope of its own, and the mean of channels.
    case head

    func apply(to configuration: inout TrainingConfiguration) {
      switch self {
      case .convolutions:
        (configuration.fineTuneAfter, configuration.microBatch) = (4, 2)
        (configuration.optimizer, configuration.encoderOptimizer) = (.rmsprop(), .adamw())
        (configuration.encoderLearningRate, configuration.encoderWeightDecay) = (0.01, 0.1)
      case .layers: (configuration.layers, configuration.layerDropout) = (2, 0.3)
      case .attention:
        (configuration.conditioning, configuration.regionSize) = (.topDown, 5)
        (configuration.attentionSize, configuration.regionDropout) = (4, 0.3)
        (configuration.fineTuneAfter, configuration.encoderLearningRate) = (4, 0.01)
        configuration.attentionPenalty = 0.1
      case .normalization:
        (configuration.fineTuneAfter, configuration.encoderLearningRate) = (4, 0.01)
        (configuration.featureNormalization, configuration.whiteningComponents) = (.whiten, 4)
        configuration.activation = .maxout
      case .frozenStatistics:
        (configuration.fineTuneAfter, configuration.microBatch) = (4, 2)
        (configuration.freezeStatistics, configuration.encoderLearningRate) = (true, 0.01)
        (configuration.featureNormalization, configuration.activation) = (.standardize, .elu)
      case .head: (configuration.activation, configuration.featureNormalization) = (.prelu, .mean)
      case .lengthBuckets:
        (configuration.lengthBuckets, configuration.optimizer) = (true, .sgd(momentum: 0.9, nesterov: true))
      }
    }
  }

  /// In the middle of an epoch (2), at its end (4), where the convolutions begin to learn (5), and after (6, 9).
  @Test(arguments: Extra.allCases, [2, 4, 5, 6, 9]) func withEverythingThatHasAState(extra: Extra, batch: Int)
    throws
  {
    try withTemporaryFolder { folder in
      let isNormalized = [.normalization, .frozenStatistics].contains(extra)
      let run = try TinyRun(
        in: folder, fineTuning: isNormalized || [.convolutions, .attention].contains(extra),
        normalized: isNormalized)
      extra.apply(to: &run.configuration)
      (run.configuration.scheduledSampling.curve, run.configuration.scheduledSampling.k) = (.exponential, 0.9)
      #expect((run.train.photos as? CachedPhotos)?.views.count == 1 && run.configuration.featureDropout > 0)
      let whole = try run.outcome("whole")
      if extra == .convolutions {
        let begun = try run.encoder.tensor(named: "features.3.weight")
        #expect(whole.tensors["encoder.features.3.weight"] != begun)
        #expect(whole.tensors["adam.second.encoder.features.3.weight"] != nil)
      }
      if isNormalized {
        for kind in ["running_mean", "running_var"] {
          let (name, begun) = ("features.5.\(kind)", try run.encoder.tensor(named: "features.5.\(kind)"))
          #expect((whole.tensors["encoder.\(name)"] == begun) == (extra == .frozenStatistics))
        }
        // They are averaged as weights are, and have no moments.
        #expect(whole.tensors["average.encoder.features.5.running_var"] != nil)
        #expect(whole.tensors["adam.second.encoder.features.5.weight"] != nil)
        #expect(!whole.tensors.keys.contains { $0.hasPrefix("adam.") && $0.contains("running_") })
      }
      #expect(try Self.interrupted(run, before: batch) == whole)
    }
  }
}
