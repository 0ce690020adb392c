import Models
import Foundation
import Evaluation
import Layers
import CaptionMetrics
import Tensors
import TestSupport
import Testing

@testable import Training

private struct LogLine: Decodable {
  let epoch, step: Int
  var loss, training_loss, reward: Double?
  var validation: Scores?
  var validation_loss: Double? { validation?.loss }
  var best: Bool?
}

private func log(_ output: String) throws -> [LogLine] {
  try logLines(output).map { try JSONDecoder().decode(LogLine.self, from: Data($0.utf8)) }
}

@Suite struct TrainerTests {
  @Test func beginsAtChance() throws {
    try withTemporaryFolder { folder in
      let run = try TinyRun(in: folder)
      run.configuration.epochs = 1
      _ = try run.outcome("run")
      let first = try #require(try log(folder + "/run").first)
      #expect(first.step == 1)
      #expect(abs(try #require(first.loss) - Foundation.log(Double(run.vocabulary.count))) < 0.15)
    }
  }

  @Test(arguments: [Injection.everyStep, .firstStep], [VGGArchitecture.Head.compact, .compact2])
  func overfits(injection: Injection, head: VGGArchitecture.Head) throws {
    try withTemporaryFolder { folder in
      let run = try TinyRun(in: folder)
      (run.configuration.injection, run.configuration.head) = (injection, head)
      (run.configuration.epochs, run.configuration.stopPatience) = (160, 160)
      (run.configuration.decayPatience, run.configuration.views) = (160, 1)
      run.configuration.averageDecay = 0.5
      run.configuration.featureDropout = 0
      run.configuration.embeddingDropout = 0
      run.configuration.outputDropout = 0
      let outcome = try run.outcome("run")
      // Each image has two captions: their first word is all that can't be known, ln 2 of four or five words.
      let least = exp(0.7 / 4.3)
      #expect(outcome.perplexity < least + 0.15, "\(outcome.perplexity)")
      let epochs = try log(folder + "/run").filter { $0.validation_loss != nil }
      #expect(epochs.map(\.epoch) == Array(1...160) && epochs[0].best == true)
      let best = try #require(epochs.compactMap(\.validation_loss).min())
      #expect(exp(best) == outcome.perplexity)
    }
  }

  /// The model that is saved is the one that was validated: the file's own captioner agrees with the log.
  @Test(arguments: [0, 0.9]) func savesWhatItValidated(averageDecay: Double) throws {
    try withTemporaryFolder { folder in
      let run = try TinyRun(in: folder)
      (run.configuration.averageDecay, run.configuration.precision) = (averageDecay, .float32)
      let outcome = try run.outcome("run")
      let captioner = try CaptionModel(contentsOf: folder + "/run/model.safetensors", caching: .streamed)
      let pooled = Tensor(
        run.validation.rows.flatMap { row in
          (0..<TinyNetwork.pooledSize).map { run.caches[0].features(of: row)[$0] }
        }, [3, TinyNetwork.pooledSize])
      let logProbs = captioner.logProbs(
        of: run.validation.captions.map(Array.init), rows: [0, 1, 2], maps: pooled
      ).joined()
      let loss = -logProbs.reduce(0) { $0 + Double($1) } / Double(logProbs.count)
      #expect(abs(exp(loss) - outcome.perplexity) < 1e-4 * outcome.perplexity)
      // Each image is taken for the next.
      let others = captioner.logProbs(
        of: run.validation.captions.map(Array.init), rows: [1, 2, 0], maps: pooled
      ).joined()
      let mismatchedLoss = -others.reduce(0) { $0 + Double($1) } / Double(others.count)
      let best = try #require(try log(folder + "/run").last { $0.best == true }?.validation)
      #expect(abs(best.mismatchedImageLoss - mismatchedLoss) < 1e-4 && best.loss != best.mismatchedImageLoss)
      #expect(abs(best.loss - loss) < 1e-4 && best[.images] == 3)
      // The log's readers find it under its name in earlier versions too.
      let line = try #require(try logLines(folder + "/run").last { $0.contains("validation") })
      #expect(line.contains(#""shuffled_loss":"#) && line.contains(#""mismatched_image_loss":"#))
      #expect(captioner.description.training["seed"] == "1")
      #expect(captioner.description.vocabulary == run.vocabulary)
    }
  }

  @Test func endsWhenValidationStalls() throws {
    try withTemporaryFolder { folder in
      let run = try TinyRun(in: folder)
      (run.configuration.epochs, run.configuration.stopPatience, run.configuration.seed) = (500, 2, 3)
      var last = ""
      var trainer = try run.trainer(
        in: folder + "/run", report: { if case .message(let text) = $0 { last = text } })
      _ = try trainer.run()
      #expect(last == "validation has not improved for 2 epochs: done")
      let epochs = try log(folder + "/run").filter { $0.validation_loss != nil }
      #expect(epochs.count < 500 && epochs.suffix(3).map(\.best) == [true, false, false])
      // There is nothing left to do.
      let before = try Outcome(folder + "/run", 0)
      var again = try run.trainer(in: folder + "/run", resume: true)
      _ = try again.run()
      #expect(try Outcome(folder + "/run", 0) == before)
    }
  }

  @Test func seedsDecide() throws {
    try withTemporaryFolder { folder in
      let run = try TinyRun(in: folder)
      let (first, second) = (try run.outcome("a"), try run.outcome("b"))
      #expect(first == second)
      run.configuration.seed = 2
      #expect(try run.outcome("c").model != first.model)
    }
  }

  /// Batches larger than the data, of one caption, and captions of one image.
  @Test(arguments: [1, 12, 16384]) func anyBatchSizeWillDo(size: Int) throws {
    try withTemporaryFolder { folder in
      let run = try TinyRun(in: folder)
      (run.configuration.batchSize, run.configuration.epochs) = (size, 1)
      // It has learnt something: better than chance, one word in fifteen.
      #expect(run.vocabulary.count == 15)
      #expect((1..<15).contains(try run.outcome("run").perplexity))
      #expect(try log(folder + "/run").last?.step == (11 + size) / size)
    }
  }

  @Test func refusesWhatItCannotDo() throws {
    try withTemporaryFolder { folder in
      let run = try TinyRun(in: folder)
      let output = folder + "/run"
      let path = output + "/checkpoint.safetensors"
      #expect(throws: TrainingError.nothingToResume(path: path)) { try run.trainer(in: output, resume: true) }
      _ = try run.outcome("run")
      #expect(throws: TrainingError.alreadyThere(path: path)) { try run.trainer(in: output) }
      run.configuration.seed = 7
      #expect(throws: TrainingError.otherRun(path: path, differences: ["seed: 1 then, 7 now"])) {
        try run.trainer(in: output, resume: true)
      }
      run.configuration.hiddenSize = 0
      #expect(throws: TrainingError.configuration("--hidden-size: expected 1 to 16384, found 0")) {
        try run.trainer(in: output)
      }
    }
  }

  @Test func otherDataIsAnotherRun() throws {
    try withTemporaryFolder { folder in
      let run = try TinyRun(in: folder)
      _ = try run.outcome("run")
      let architecture = VGGArchitecture(table: TinyNetwork.table, head: .compact, featureSize: 16)!
      let fewer = EncodedSplit(
        captions: Array(run.train.captions.dropLast()), rows: Array(run.train.rows.dropLast()),
        features: run.caches[0], views: [run.caches[1]])
      #expect {
        _ = try Trainer(
          run.configuration,
          ModelDescription(
            encoder: architecture, preprocessing: .torchvision,
            decoder: DecoderDescription(embeddingSize: 6, hiddenSize: 12), vocabulary: run.vocabulary),
          TrainingData(train: fewer, validation: run.validation),
          encoder: (SafetensorsFile(path: folder + "/vgg.safetensors"), ""), folder: folder + "/run",
          resume: true)
      } throws: {
        guard case .otherRun(_, let differences) = $0 as? TrainingError else { return false }
        return differences == ["other captions, or other images that can be read"]
      }
    }
  }

  /// A feature that is not a number, after an epoch that went well.
  @Test func divergenceLeavesTheLastCheckpoint() throws {
    try withTemporaryFolder { folder in
      let run = try TinyRun(in: folder)
      run.configuration.epochs = 1
      _ = try run.outcome("run")
      let files = ["checkpoint.safetensors", "model.safetensors"].map { "\(folder)/run/\($0)" }
      let before = files.map { FileManager.default.contents(atPath: $0) }
      for cache in run.caches {
        for row in 0..<6 { try cache.store([Float](repeating: .nan, count: cache.width), row: row) }
      }
      run.configuration.epochs = 2
      var trainer = try run.trainer(in: folder + "/run", resume: true)
      #expect(throws: TrainingError.diverged(step: 4, what: "the loss")) { try trainer.run() }
      #expect(files.map { FileManager.default.contents(atPath: $0) } == before)
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: folder + "/run").sorted()
          == ["checkpoint.safetensors", "log.jsonl", "model.safetensors"])
    }
  }

  /// Losses of thousands of nats a word.
  @Test func giantStepsDiverge() throws {
    try withTemporaryFolder { folder in
      let run = try TinyRun(in: folder)
      (run.configuration.learningRate, run.configuration.clipNorm) = (9.9, 0)
      (run.configuration.epochs, run.configuration.batchSize, run.configuration.averageDecay) = (9, 1, 0)
      (run.configuration.decayPatience, run.configuration.hiddenSize) = (50, 512)
      var trainer = try run.trainer(in: folder + "/run")
      #expect {
        try trainer.run()
      } throws: {
        if case .diverged(_, "the loss") = $0 as? TrainingError { true } else { false }
      }
    }
  }

  /// Captions that are drawn and judged get better, by the very reward, with next to no teacher.
  @Test func selfCriticalTrainingEarnsMore() throws {
    try withTemporaryFolder { folder in
      let run = try TinyRun(in: folder)
      (run.configuration.epochs, run.configuration.stopPatience) = (40, 40)
      (run.configuration.averageDecay, run.configuration.views) = (0, 1)
      _ = try run.outcome("first")
      run.configuration.start = folder + "/first/model.safetensors"
      (run.configuration.selfCriticalSamples, run.configuration.teacherWeight) = (40, 0)
      (run.configuration.featureDropout, run.configuration.embeddingDropout) = (0, 0)
      (run.configuration.outputDropout, run.configuration.learningRate) = (0, 0.003)
      run.configuration.schedule = .constant
      _ = try run.outcome("second")
      let rewards = try log(folder + "/second").compactMap(\.reward)
      #expect(rewards.count == 40)
      let (early, late) = (rewards.prefix(5).reduce(0, +), rewards.suffix(5).reduce(0, +))
      #expect(late > 1.8 * early, "\(rewards)")
    }
  }

  /// ε = 0 from the start: the model reads its own words, and learns the first word of each caption all the same.
  @Test(arguments: ScheduledSampling.Coin.allCases, ScheduledSampling.Choice.allCases)
  func scheduledSamplingIsAnotherRun(coin: ScheduledSampling.Coin, choice: ScheduledSampling.Choice) throws {
    try withTemporaryFolder { folder in
      let run = try TinyRun(in: folder)
      let plain = try run.outcome("plain")
      (run.configuration.scheduledSampling.curve, run.configuration.scheduledSampling.k) = (.linear, 2)
      run.configuration.scheduledSampling.c = 0
      // ε = 1 is teacher forcing to the bit.
      #expect(try run.outcome("one").tensors == plain.tensors)
      run.configuration.scheduledSampling.k = 0.5
      run.configuration.scheduledSampling.floor = 0
      (run.configuration.scheduledSampling.coin, run.configuration.scheduledSampling.choice) = (coin, choice)
      let half = try run.outcome("half")
      #expect(half.tensors != plain.tensors && (1..<Double(run.vocabulary.count)).contains(half.perplexity))
      #expect(try run.outcome("again") == half)
    }
  }
}
