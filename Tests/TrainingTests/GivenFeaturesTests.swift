import Datasets
import Foundation
import Layers
import Models
import Support
import Tensors
import TestSupport
import Testing

@testable import Training

/// Runs on features that another program's encoder made: no photo is there.
@Suite struct GivenFeaturesTests {
  private static let things = ["dog", "cat", "bird", "horse"]

  /// Options of a run of seconds in `folder`: 24 images of four things, of which only the features tell.
  /// - Parameters:
  ///   - shape: the numbers of an image; the last extent at least 4.
  ///   - type: how they are stored.
  private static func configuration(
    in folder: String, shape: Shape = [6], type: StoredType = .float32
  ) throws -> TrainingConfiguration {
    var random = Random(seed: 4)
    var numbers: [Float] = []
    let width = shape[shape.rank - 1]
    for image in 0..<24 {
      for region in 0..<shape.count / width {
        // The thing is in one region; the others are noise.
        let isShown = shape.rank == 1 || region == image % (shape.count / width)
        numbers += (0..<width).map { place in
          0.1 * random.uniform() + (isShown && place == image % 4 ? 3 : 0)
        }
      }
    }
    let names = (0..<24).map { "\"elsewhere/\($0).jpg\"" }.joined(separator: ",")
    try SafetensorsWriter.write(
      [
        .init(name: "features", tensor: Tensor(numbers, Shape([24] + shape.dimensions)), type: type)
      ], metadata: ["names": "[\(names)]"], to: folder + "/features.safetensors")
    func captions(_ images: Range<Int>, _ name: String) throws -> [String] {
      let entries = images.map {
        #"{"file_path": "\#($0).jpg", "captions": ["A \#(things[$0 % 4]) is here.", "The \#(things[$0 % 4]) sits."]}"#
      }
      let path = "\(folder)/\(name).json"
      try Data("[\(entries.joined(separator: ","))]".utf8).write(to: URL(fileURLWithPath: path))
      return [path]
    }
    var configuration = TrainingConfiguration()
    configuration.captions = try captions(0..<16, "train")
    configuration.validationCaptions = try captions(16..<24, "val")
    configuration.features = [folder + "/features.safetensors"]
    configuration.featuresName = "made-up"
    (configuration.embeddingSize, configuration.hiddenSize, configuration.featureSize) = (12, 16, 16)
    (configuration.minimumCount, configuration.batchSize, configuration.epochs) = (1, 8, 30)
    (configuration.learningRate, configuration.averageDecay, configuration.stopPatience) = (0.02, 0.5, 60)
    (configuration.outputDropout, configuration.warmUp, configuration.start) = (0, 0, "")
    return configuration
  }

  private static func said(_ folder: String, run: String = "run") throws -> [String] {
    let model = try CaptionModel(ofFeaturesAt: "\(folder)/\(run)/model.safetensors")
    let files = try FeatureFiles(paths: [folder + "/features.safetensors"])
    try model.description.check(files)
    let images = (16..<24).map { NamedImage(called: "\($0).jpg") }
    let selected = try SelectedFeatures(images, in: files)
    return model.captions(selected.read(Array(0..<8))).map { $0[0].text }
  }

  /// Every way in which an image may enter learns what the features show, and the model's file says what it wants.
  @Test(
    arguments: [
      ([6], .gates, .compact), ([6], .gates, .none), ([5], .multimodal, .none), ([6], .gates, .compact2),
      ([3, 6], .attention, .compact), ([3, 6], .topDown, .none), ([2, 2, 6], .attention, .none),
    ] as [(Shape, ConditioningName, VGGArchitecture.Head)])
  func featuresDecide(shape: Shape, conditioning: ConditioningName, head: VGGArchitecture.Head) throws {
    try withTemporaryFolder { folder in
      var configuration = try Self.configuration(in: folder, shape: shape)
      (configuration.conditioning, configuration.head) = (conditioning, head)
      if conditioning.attends { (configuration.regionSize, configuration.attentionSize) = (8, 8) }
      // It takes longer where the thing has to be found.
      if conditioning.attends { configuration.epochs = 60 }
      let perplexity = try TrainingRun(configuration, folder: folder + "/run").run()
      #expect(perplexity < 2.5)
      let said = try Self.said(folder)
      for (image, caption) in zip(16..<24, said) {
        #expect(caption.contains(Self.things[image % 4]), "\(image): \(caption)")
      }
      let description = try ModelDescription(of: SafetensorsFile(path: folder + "/run/model.safetensors"))
      #expect(
        description.encoder.given?.name == "made-up"
          && description.encoder.given?.width == shape[shape.rank - 1])
      #expect(
        description.training["features"] == "features.safetensors" && description.training["encoder"] == nil)
    }
  }

  /// Of an interrupted run comes the same model, to the byte.
  @Test(arguments: [VGGArchitecture.Head.none, .compact])
  func stopsAndGoesOn(head: VGGArchitecture.Head) throws {
    try withTemporaryFolder { folder in
      var configuration = try Self.configuration(in: folder, type: .float16)
      (configuration.head, configuration.epochs, configuration.outputDropout) = (head, 3, 0.4)
      (configuration.featureDropout, configuration.pooledDropout) = (0.2, 0.1)
      let whole = try TrainingRun(configuration, folder: folder + "/whole").run()
      var asked = 0
      func isEnough() -> Bool {
        asked += 1
        return asked > 7
      }
      #expect(throws: TrainingError.interrupted(path: folder + "/run")) {
        _ = try TrainingRun(configuration, folder: folder + "/run").run(shouldStop: isEnough)
      }
      let kept = try #require(try TrainingRun.configuration(in: folder + "/run"))
      #expect(kept == configuration)
      #expect(try TrainingRun(kept, folder: folder + "/run", resume: true).run() == whole)
      let models = try ["whole", "run"].map {
        try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\($0)/model.safetensors"))
      }
      #expect(models[0] == models[1])
      #expect(try logLines(folder + "/whole") == logLines(folder + "/run"))
    }
  }

  /// Other numbers under the same names are another run.
  @Test func otherFeaturesAreAnotherRun() throws {
    try withTemporaryFolder { folder in
      var configuration = try Self.configuration(in: folder)
      configuration.epochs = 1
      _ = try TrainingRun(configuration, folder: folder + "/run").run()
      configuration.epochs = 2
      let path = folder + "/features.safetensors"
      let file = try SafetensorsFile(path: path)
      var numbers = try file.tensor(named: "features").scalars
      numbers[3] += 1
      try SafetensorsWriter.write(
        [.init(name: "features", tensor: Tensor(numbers, [24, 6]))], metadata: file.metadata, to: path)
      #expect(
        throws: TrainingError.otherRun(
          path: folder + "/run/checkpoint.safetensors", differences: ["other features of the training images"]
        )
      ) { _ = try TrainingRun(configuration, folder: folder + "/run", resume: true).run() }
    }
  }

  /// A run goes on from a model of the same features: what reads them is taken, with its scale.
  @Test(arguments: [VGGArchitecture.Head.none, .compact]) func beginsFromAModel(head: VGGArchitecture.Head)
    throws
  {
    try withTemporaryFolder { folder in
      var configuration = try Self.configuration(in: folder)
      configuration.head = head
      let first = try TrainingRun(configuration, folder: folder + "/first").run()
      var next = try Self.configuration(in: folder)
      next.start = folder + "/first/model.safetensors"
      (next.epochs, next.learningRate, next.averageDecay) = (1, 1e-6, 0)
      var notes: [String] = []
      let second = try TrainingRun(next, folder: folder + "/second").run(report: {
        if case .message(let text) = $0 { notes.append(text) }
      })
      // The first was stored in half precision.
      #expect(abs(second - first) < 0.02 * first)
      let line = try #require(notes.first { $0.hasPrefix("begins from ") })
      #expect(line.contains("new: nothing") && !line.contains("others than"))
    }
  }

  @Test func whatDoesNotFitGetsALine() throws {
    try withTemporaryFolder { folder in
      let good = try Self.configuration(in: folder)
      func refusal(_ change: (inout TrainingConfiguration) throws -> Void) -> String? {
        do {
          var configuration = good
          try change(&configuration)
          _ = try TrainingRun(configuration, folder: folder + "/run").run()
          return nil
        } catch { return "\(error)".replacing(folder + "/", with: "") }
      }
      let names = [
        "--encoder", "--head", "--fine-tune-from", "--augmentation", "--region-grid", "--conditioning",
      ]
      for (name, change) in zip(
        names,
        [
          { $0.encoder = "vgg" }, { $0.head = .full }, { $0.fineTuneFrom = "conv5_1" },
          { $0.augmentation = .crops },
          { $0.regionGrid = .fine }, { $0.conditioning = .attention },
        ] as [(inout TrainingConfiguration) -> Void])
      {
        let line = refusal(change)
        #expect(
          line?.hasPrefix("\(name): expected ") == true && line?.contains("\n") == false, "\(line ?? "")")
      }
      #expect(
        refusal { $0.features = [folder + "/none"] }?.hasPrefix("none: can't open: ") == true)
      // Images of which there are no features.
      let more = folder + "/more.json"
      try Data(
        #"[{"file_path": "1.jpg", "captions": ["a dog"]}, {"file_path": "x.jpg", "captions": ["a"]}]"#.utf8
      )
      .write(to: URL(fileURLWithPath: more))
      let lacking =
        "features.safetensors: expected features of 2 images, found none of 1 of them, the first x.jpg: add them, or "
        + "leave the images out with --skip"
      #expect(refusal { $0.validationCaptions = [more] } == lacking)
      let skip = folder + "/skip"
      try Data("x.jpg\n".utf8).write(to: URL(fileURLWithPath: skip))
      try? FileManager.default.removeItem(atPath: folder + "/run")
      #expect(
        refusal {
          $0.validationCaptions = [more]
          $0.skip = [skip]
          $0.epochs = 1
        } == nil)
      // Regions for a decoder of one vector.
      try FileManager.default.removeItem(atPath: folder + "/run")
      let regions = try Self.configuration(in: folder, shape: [2, 6])
      #expect(refusal { $0 = regions }?.contains("2 regions of 6 numbers an image, found gates") == true)
    }
  }

  /// What a run would make of them, without running.
  @Test func dataAreChecked() throws {
    try withTemporaryFolder { folder in
      let configuration = try Self.configuration(in: folder)
      let report = try DataCheckReport(configuration, folder: folder + "/run")
      #expect(report.usable && report.data.train.images == 16 && report.data.validation.images == 8)
      #expect(report.estimate.featureSeconds == 0 && report.data.sharedImages.isEmpty)
      let more = folder + "/more.json"
      try Data(#"[{"file_path": "x.jpg", "captions": ["a"]}]"#.utf8).write(to: URL(fileURLWithPath: more))
      var other = configuration
      other.captions.append(more)
      let lacking = try DataCheckReport(other, folder: folder + "/run")
      #expect(!lacking.usable && lacking.data.train.missingImages.map(\.image) == ["x.jpg"])
      #expect(
        lacking.data.train.missingImages.first?.reason
          == "\(folder)/features.safetensors: expected features of x.jpg, found none")
    }
  }
}
