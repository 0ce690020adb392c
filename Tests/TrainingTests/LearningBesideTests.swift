import Datasets
import Foundation
import Kernels
import Layers
import Models
import Support
import TestSupport
import Tensors
import Testing

@testable import Training

extension TinyRun {
  /// Text, labels and a teacher's scores, all of the run's own words and images.
  func learnBeside() throws {
    for sentence in [["the", "word0", "x", "y"], ["a", "word5", "a", "word5"], ["z", "z", "z"]] {
      beside.text.append(vocabulary.encode(sentence))
    }
    let photos = CachedPhotos(features: caches[0], views: [caches[1]])
    beside.labels = LabelledSplit(
      photos, labels: [0, 1, 2, 3, 0, 1], names: [["word0"], ["word1", "x"], ["word2"], ["y"]],
      vocabulary: vocabulary)
    let path = folder + "/scores.safetensors"
    var random = Random(seed: 9)
    try SafetensorsWriter.write(
      [.init(name: "scores", tensor: Tensor(uniform: [6, 5], limit: 4, using: &random))],
      metadata: ["names": #"["a", "b", "c", "d", "e", "f"]"#], to: path)
    beside.scores = ScoredSplit(photos, try TeacherScores(path: path, images: folder))
    (configuration.labelBatch, configuration.teacherBatch) = (3, 4)
  }

  /// All at once.
  func learnAll() throws {
    try learnBeside()
    (configuration.textSteps, configuration.teacherSteps) = (4, 3)
    (configuration.textShare, configuration.labelCaptions) = (0.2, 0.3)
    configuration.labelCaptionsUntil = 7
    (configuration.labelWeight, configuration.teacherScoresWeight) = (0.5, 0.25)
  }
}

/// The values of a key in the lines of a log.
private func values(_ key: String, in folder: String) throws -> [Double] {
  try logLines(folder).compactMap {
    (try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])?[key] as? Double
  }
}

@Suite struct LearningBesideTests {
  /// What is there and has no share changes nothing.
  @Test func offIsAsEver() throws {
    try withTemporaryFolder { folder in
      let run = try TinyRun(in: folder)
      let plain = try run.outcome("plain")
      try run.learnBeside()
      #expect(try run.outcome("beside") == plain)
    }
  }

  @Test(arguments: [false, true]) func anInterruptedRunEndsAsAnUninterruptedOne(fineTuning: Bool) throws {
    try withTemporaryFolder { folder in
      let run = try TinyRun(in: folder, fineTuning: fineTuning)
      try run.learnAll()
      run.configuration.weightDecay = 0.01
      let whole = try run.outcome("whole")
      // Seven steps before the captions, then three an epoch.
      for stop in fineTuning ? [2, 5, 9] : [1, 2, 4, 5, 7, 8, 9, 12] {
        var calls = 0
        var trainer = try run.trainer(
          in: "\(folder)/parts\(stop)",
          shouldStop: {
            calls += 1
            return calls == stop
          })
        #expect(throws: TrainingError.interrupted(path: "\(folder)/parts\(stop)")) { try trainer.run() }
        #expect(try run.outcome("parts\(stop)", resume: true) == whole, "\(stop)")
      }
    }
  }

  /// Every stage alone, and each way of learning beside captions, is another run than none.
  @Test(arguments: 0..<6) func eachCounts(way: Int) throws {
    try withTemporaryFolder { folder in
      let run = try TinyRun(in: folder)
      try run.learnBeside()
      let plain = try run.outcome("plain")
      switch way {
      case 0: run.configuration.textSteps = 2
      case 1: run.configuration.textShare = 0.3
      case 2: run.configuration.labelWeight = 1
      case 3: run.configuration.labelCaptions = 0.3
      case 4: run.configuration.teacherSteps = 2
      default: run.configuration.teacherScoresWeight = 1
      }
      let some = try run.outcome("some")
      let path = "decoder.embedding.weight"
      #expect(some.tensors[path] != plain.tensors[path])
      // Layers of the training alone stay in the checkpoint, and only while they are of use.
      #expect((some.tensors["labels.weight"] != nil) == (way == 2))
      #expect((some.tensors["teacher.weight"] != nil) == (way == 5))
      let model = try SafetensorsFile(path: folder + "/some/model.safetensors")
      #expect(!model.entries.keys.contains { $0.hasPrefix("labels") || $0.hasPrefix("teacher") })
    }
  }

  @Test func learnsTextAlone() throws {
    try withTemporaryFolder { folder in
      let run = try TinyRun(in: folder)
      try run.learnBeside()
      (run.configuration.textSteps, run.configuration.batchSize) = (200, 6)
      (run.configuration.embeddingDropout, run.configuration.outputDropout) = (0, 0)
      var trainer = try run.trainer(in: folder + "/run")
      let (head, image) = (
        trainer.network.captions.head.parameters.map(\.value), "decoder.image_to_hidden.weight"
      )
      func value(_ path: String) -> Tensor? {
        trainer.network.captions.decoder.parameters.first { $0.path == path }?.value
      }
      let before = (image: value(image), words: value("decoder.embedding.weight"))
      try trainer.prepare()
      #expect(trainer.network.captions.head.parameters.map(\.value) == head)
      #expect(value(image) == before.image && value("decoder.embedding.weight") != before.words)
      _ = try trainer.run()
      let losses = try values("loss", in: folder + "/run").prefix(4)
      // Which of three sentences it is can't be known: ln 3 of four to five words.
      #expect(losses[3] < 0.35 && losses[0] > losses[3], "\(losses)")
      #expect(try logLines(folder + "/run")[3].contains(#""preparation":"text","step":200"#))
    }
  }

  @Test func learnsFromATeacher() throws {
    try withTemporaryFolder { folder in
      let run = try TinyRun(in: folder)
      try run.learnBeside()
      (run.configuration.teacherSteps, run.configuration.featureDropout) = (300, 0)
      run.configuration.views = 1
      run.beside.scores = ScoredSplit(
        CachedPhotos(features: run.caches[0]), try #require(run.beside.scores).scores)
      var trainer = try run.trainer(in: folder + "/run")
      let decoder = trainer.network.captions.decoder.parameters.map(\.value)
      try trainer.prepare()
      #expect(trainer.network.captions.decoder.parameters.map(\.value) == decoder)
      #expect(trainer.network.sideTasks.scores == nil)
      _ = try trainer.run()
      let losses = try values("loss", in: folder + "/run").prefix(6)
      #expect(losses[5] < 0.05 && losses[0] > 3 * losses[5], "\(losses)")
    }
  }

  @Test func learnsToNameThings() throws {
    try withTemporaryFolder { folder in
      let run = try TinyRun(in: folder)
      try run.learnBeside()
      (run.configuration.labelWeight, run.configuration.teacherScoresWeight) = (1, 1)
      run.configuration.textShare = 0.3
      (run.configuration.epochs, run.configuration.stopPatience, run.configuration.views) = (60, 60, 1)
      (run.configuration.featureDropout, run.configuration.outputDropout) = (0, 0)
      run.configuration.embeddingDropout = 0
      _ = try run.outcome("run")
      for key in ["label_loss", "teacher_loss", "text_loss"] {
        let losses = try values(key, in: folder + "/run")
        #expect(losses.count == 4 && losses[3] < losses[0] / 3, "\(key) \(losses)")
      }
      #expect(try #require(try values("label_loss", in: folder + "/run").first) - log(4) < 0.5)
    }
  }

  /// The gradient of v is the slope of the weighted losses, added to what captions say; rows of no task have none.
  @Test func gradientsOfTasksAreAdded() throws {
    try withTemporaryFolder { folder in
      let run = try TinyRun(in: folder)
      try run.learnAll()
      var trainer = try run.trainer(in: folder + "/run")
      let batch = trainer.mixture.batch([0, 1], step: 0)
      let rows = batch.features.shape[0]
      var random = Random(seed: 3)
      let v = Tensor(uniform: [rows, 16], limit: 1, using: &random)
      let weights = SideWeights(run.configuration)
      func loss(_ v: Tensor) -> Double {
        var (network, dv) = (trainer.network, Tensor(zeros: v.shape))
        let losses = network.learn(beside: batch, v: v, dv: &dv, weights, on: .cpu)
        return 0.5 * losses.labels! + 0.25 * losses.scores!
      }
      var dv = Tensor(zeros: v.shape)
      trainer.network.captions.decoder.visitParameters {
        $0.gradientPointer().update(repeating: 0, count: $0.value.count)
      }
      _ = trainer.network.learn(beside: batch, v: v, dv: &dv, weights, on: .cpu)
      #expect(gradientDisagreement(dv, at: v) { loss($0) } < 5e-3)
      #expect(dv.row(0) == Tensor(zeros: [16]) && dv.row(rows - 1) != Tensor(zeros: [16]))
      var ones = Tensor([Float](repeating: 1, count: v.count), v.shape)
      _ = trainer.network.learn(beside: batch, v: v, dv: &ones, weights, on: .cpu)
      #expect(zip(ones.scalars, dv.scalars).allSatisfy { abs($0 - 1 - $1) < 1e-6 })
    }
  }

  /// Of a hundred steps, the shares are those that were asked for, and that of labels falls to zero.
  @Test func batchesAreMixed() throws {
    try withTemporaryFolder { folder in
      let run = try TinyRun(in: folder)
      try run.learnAll()
      run.configuration.labelCaptionsUntil = 0
      let trainer = try run.trainer(in: folder + "/run")
      var (text, all, labels) = (0, 0, 0)
      for step in 0..<100 {
        let packed = trainer.mixture.batch([0, 1, 2, 3, 4], step: step).packed()
        let unseen = trainer.mixture.batch([0, 1, 2, 3, 4], step: step).features.shape[0]
        text += packed.sequences.imageRows.count { $0 == Int32(unseen) }
        labels += packed.sequences.imageRows.count { (5..<Int32(unseen)).contains($0) }
        all += packed.sequences.count
      }
      #expect(abs(Double(text) / Double(all) - 0.2) < 0.03 && abs(Double(labels) / Double(all) - 0.3) < 0.03)
      run.configuration.labelCaptionsUntil = 10
      #expect(run.configuration.labelShare(step: 0) == 0.3 && run.configuration.labelShare(step: 10) == 0)
      #expect(abs(run.configuration.labelShare(step: 5) - 0.15) < 1e-12)
      let later = TrainingMixture(
        run.configuration, TrainingData(train: run.train, validation: run.validation, beside: run.beside))
      let batch = later.batch([0, 1, 2, 3, 4], step: 50)
      #expect(batch.labelled?.rows == 5..<8 && batch.scored?.rows == 8..<12 && batch.taughtCount == 5)
    }
  }

  @Test func withOtherWaysOfTraining() throws {
    try withTemporaryFolder { folder in
      for unit in TrainingConfiguration.BatchUnit.allCases {
        let place = folder + "/" + unit.rawValue
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
        let run = try TinyRun(in: place)
        try run.learnAll()
        run.configuration.batchUnit = unit
        (run.configuration.selfCriticalSamples, run.configuration.attentionPenalty) = (2, 0)
        run.configuration.scheduledSampling.curve = .linear
        (run.configuration.samplingK, run.configuration.samplingFloor) = (0.5, 0.5)
        let whole = try run.outcome("whole")
        #expect(whole.log.contains { $0.contains(#""reward""#) && !$0.contains("nan") })
        #expect(try run.outcome("again") == whole)
      }
    }
  }

  @Test func otherTextIsAnotherRun() throws {
    try withTemporaryFolder { folder in
      let run = try TinyRun(in: folder)
      try run.learnAll()
      _ = try run.outcome("run")
      run.beside.text.append([4, 5])
      #expect(throws: TrainingError.self) { try run.trainer(in: folder + "/run", resume: true) }
    }
  }

  @Test func optionsThatLeadNowhereAreRefused() {
    var configuration = TrainingConfiguration()
    func problem(_ change: (inout TrainingConfiguration) -> Void) -> String? {
      change(&configuration)
      return configuration.problem
    }
    #expect(problem { $0.text = ["t"] } == "--text: expected --text-steps or --text-share, found neither")
    #expect(problem { $0.textShare = 0.6 } == nil)
    #expect(
      problem { $0.labels = ["l"] }
        == "--labels: expected the folder of their photos, --label-images, found none")
    #expect(
      problem { $0.labelImages = ["f"] }
        == "--labels: expected --label-weight or --label-captions, found neither")
    #expect(
      problem { $0.labelCaptions = 0.4 }?.hasPrefix(
        "--text-share and --label-captions: expected less than 0.95") == true)
    #expect(problem { $0.labelCaptions = 0.2 } == nil)
    #expect(
      problem { $0.teacherScores = "s" }
        == "--teacher-scores: expected --teacher-steps or --teacher-scores-weight, found neither")
    #expect(
      problem { ($0.teacherSteps, $0.images) = (3, ["a", "b"]) }
        == "--teacher-images: expected a folder, as there are 2 --images, found none")
    #expect(problem { $0.teacherImages = "a" } == nil)
  }
}
