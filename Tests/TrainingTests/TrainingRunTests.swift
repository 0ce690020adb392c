import Models
import Datasets
import Foundation
import Tensors
import TestSupport
import Testing

@testable import Training

/// A run from files to a model, as a program that uses the library begins it.
@Suite struct TrainingRunTests {
  /// Options of a run of seconds over four photos in `folder`.
  static func configuration(in folder: String) throws -> TrainingConfiguration {
    try FileManager.default.createDirectory(atPath: folder + "/photos", withIntermediateDirectories: true)
    let entries = try (1...4).map { number in
      try FileManager.default.copyItem(
        atPath: photo("decode/jpeg-orientation-\(number).jpg"), toPath: "\(folder)/photos/\(number).jpg")
      return #"{"file_path": "\#(number).jpg", "captions": ["A dog runs \#(number).", "The cat sits!"]}"#
    }
    try Data("[\(entries.joined(separator: ","))]".utf8).write(
      to: URL(fileURLWithPath: folder + "/captions.json"))
    try TinyNetwork.writeModel(to: folder + "/encoder.safetensors")
    var configuration = TrainingConfiguration()
    configuration.captions = [folder + "/captions.json"]
    configuration.validationCaptions = configuration.captions
    configuration.images = [folder + "/photos"]
    configuration.encoder = folder + "/encoder.safetensors"
    configuration.embeddingSize = 6
    configuration.hiddenSize = 8
    configuration.featureSize = 16
    configuration.layers = 2
    configuration.minimumCount = 1
    configuration.epochs = 2
    configuration.batchSize = 3
    configuration.views = 1
    configuration.start = ""
    return configuration
  }

  @Test func stopsAndGoesOn() throws {
    try withTemporaryFolder { folder in
      let configuration = try Self.configuration(in: folder)
      let whole = try TrainingRun(configuration, folder: folder + "/whole").run()
      let path = folder + "/run"
      var asked = 0
      func isEnough() -> Bool {
        asked += 1
        return asked > 3
      }
      #expect(throws: TrainingError.interrupted(path: path)) {
        _ = try TrainingRun(configuration, folder: path).run(shouldStop: isEnough)
      }
      #expect(throws: TrainingError.alreadyThere(path: path)) {
        _ = try TrainingRun(configuration, folder: path)
      }
      let kept = try #require(try TrainingRun.configuration(in: path))
      #expect(kept == configuration)
      var steps: [String] = []
      let perplexity = try TrainingRun(kept, folder: path, resume: true).run(report: { event in
        switch event {
        case .opened: steps.append("opened")
        case .began: steps.append("began")
        case .epoch(let record): steps.append("epoch \(record.epoch)")
        case .message, .warning, .features, .unreadable, .progress: break
        }
      })
      #expect(steps == ["opened", "began", "epoch 1", "epoch 2"] && perplexity == whole)
      let models = try ["whole", "run"].map {
        try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\($0)/model.safetensors"))
      }
      #expect(models[0] == models[1])
    }
  }

  /// Runs that earlier versions began, whose options do not say how photos are decoded, go on decoding them exactly.
  @Test func decodingIsTheRuns() throws {
    try withTemporaryFolder { folder in
      var configuration = try Self.configuration(in: folder)
      _ = try TrainingRun(configuration, folder: folder + "/new").run()
      let model = try ModelDescription(of: SafetensorsFile(path: folder + "/new/model.safetensors"))
      #expect(model.training["decoding"] == "scaled")
      #expect(try TrainingRun.configuration(in: folder + "/new")?.exactDecoding == false)
      let path = folder + "/new/config.json"
      let text = try String(contentsOfFile: path, encoding: .utf8)
      let old = text.split(separator: "\n").filter { !$0.contains("exact_decoding") }.joined(separator: "\n")
      #expect(old.count < text.count)
      try Data(old.utf8).write(to: URL(fileURLWithPath: path))
      configuration = try #require(try TrainingRun.configuration(in: folder + "/new"))
      #expect(configuration.exactDecoding)
      // A new run from the same options takes the default.
      #expect(try !TrainingConfiguration(contentsOf: path).exactDecoding)
    }
  }

  /// Photos beside captions that another list of the run has are not computed again; others are.
  @Test func featuresAreShared() throws {
    try withTemporaryFolder { folder in
      var configuration = try Self.configuration(in: folder)
      let scores = Tensor([1, 2, 3, 4, 5, 6], [3, 2])
      configuration.teacherScores = folder + "/scores.safetensors"
      (configuration.teacherSteps, configuration.epochs, configuration.teacherBatch) = (2, 1, 2)
      func features(_ names: String, _ run: String) throws -> [String] {
        try SafetensorsWriter.write(
          [.init(name: "scores", tensor: scores)], metadata: ["names": names],
          to: configuration.teacherScores)
        var names: [String] = []
        _ = try TrainingRun(configuration, folder: folder + "/" + run).run(report: {
          if case .features(let name, 0, let total) = $0 { names.append("\(name): \(total)") }
        })
        return names
      }
      let own = "features of captions.json: 4"
      #expect(try features(#"["3.jpg", "1.jpg", "4.jpg"]"#, "same") == [own])
      try FileManager.default.copyItem(
        atPath: photo("decode/jpeg-444.jpg"), toPath: folder + "/photos/other.jpg")
      #expect(
        try features(#"["3.jpg", "other.jpg", "4.jpg"]"#, "one more")
          == [own, "features of scores.safetensors: 1"])
      // A row is the photo's that it is called after.
      let files = try FileManager.default.contentsOfDirectory(atPath: folder + "/one more")
        .filter { $0.hasPrefix("features-") }
      let caches = try files.map { try SafetensorsFile(path: "\(folder)/one more/\($0)") }
      #expect(caches.count == 2)
      func row(_ name: String, of file: SafetensorsFile) throws -> Tensor? {
        let names = try JSONDecoder().decode([String].self, from: Data((file.metadata["names"] ?? "").utf8))
        return try names.firstIndex(of: name).map { try file.tensor(named: "features").row($0) }
      }
      #expect(try row("4.jpg", of: caches[0]) == row("4.jpg", of: caches[1]))
      #expect(try row("4.jpg", of: caches[0]) != row("3.jpg", of: caches[1]))
    }
  }

  /// The estimate counts what the model has.
  @Test func parametersAreCounted() throws {
    try withTemporaryFolder { folder in
      let configuration = try Self.configuration(in: folder)
      _ = try TrainingRun(configuration, folder: folder + "/run").run()
      let model = try SafetensorsFile(path: folder + "/run/model.safetensors")
      let learned = model.entries.filter { !$0.key.hasPrefix("encoder.features.") }
      let source = try EncoderSource(path: configuration.encoder, preprocessing: "auto")
      let check = try DataCheck(
        train: configuration.trainingDataset(), validation: configuration.validationDataset(),
        minimumCount: configuration.minimumCount)
      let sizes = try RunSizes(
        configuration, check, RunNetwork(configuration, source).architecture, RunSources(configuration),
        regions: 64)
      #expect(sizes.parameters == learned.values.reduce(0) { $0 + $1.shape.count })
      // 16·16 of the head, W_ih [32, 16]; two LSTMs [32, 6 + 8] and [32, 8 + 8], W_out [V, 8].
      #expect(sizes.perImage == Double(16 * 16 + 32 * 16))
      #expect(sizes.perWord == Double(32 * 14 + 32 * 16 + check.vocabularySize * 8))
    }
  }

  @Test func whatIsMissingIsNamed() throws {
    try withTemporaryFolder { folder in
      var configuration = try Self.configuration(in: folder)
      configuration.images = []
      #expect(throws: TrainingError.configuration("--images: expected a path, found none")) {
        _ = try TrainingRun(configuration, folder: folder + "/run")
      }
      #expect(try TrainingRun.configuration(in: folder + "/run") == nil)
    }
  }
}
