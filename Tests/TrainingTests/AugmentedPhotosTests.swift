import Datasets
import Foundation
import Imaging
import Models
import Support
import Tensors
import TestSupport
import Testing

@testable import Training

/// Photos that are changed anew at every step.
@Suite struct AugmentedPhotosTests {
  private static let augmentation = RandomAugmentation(
    RandomResizedCrop(smallestArea: 0.5),
    colours: ColourJitter(brightness: 0.4, contrast: 0.4, saturation: 0.4)
  )

  /// Three photos, and the tiny network's first convolution.
  private static func with(
    _ tap: VGGEncoder.Tap, _ body: (AugmentedPhotos, ReducedPhotoCache, VGGEncoder) throws -> Void
  ) throws {
    try withTemporaryFolder { folder in
      let files = (1...3).map { photo("decode/jpeg-orientation-\($0).jpg") }
      let cache = try ReducedPhotoCache(
        path: folder + "/photos.safetensors", key: "k", names: ["a", "b", "c"], files: files, pixels: 500)
      try cache.fill(reader: ImageReader(), progress: { _ in }, failed: { _, _ in })
      try TinyNetwork.writeConvolutions(to: folder + "/vgg.safetensors")
      let weights = try SafetensorsFile(path: folder + "/vgg.safetensors")
      let whole = try VGGArchitecture(weights: weights)
      let preprocessing = try Preprocessing(
        width: 32, height: 24, resize: .stretch, channelOrder: .rgb, scale: .unit, mean: [0.5, 0.5, 0.5],
        standardDeviation: [0.25, 0.25, 0.25])
      let encoder = try VGGEncoder(
        tap == .map ? #require(whole.cut(before: "conv2_1")?.frozen) : whole, preprocessing: preprocessing,
        weights: weights, caching: .resident)
      try body(
        AugmentedPhotos(cache, through: encoder, tap, key: "key", augmentation), cache, encoder)
    }
  }

  /// What some pictures give, as many at once as the encoder takes.
  private static func features(
    _ pictures: [RGBImage], _ encoder: VGGEncoder, _ tap: VGGEncoder.Tap
  ) throws -> [Float] {
    try stride(from: 0, to: pictures.count, by: VGGEncoder.batchSize).flatMap { start in
      let part = Array(pictures[start..<min(pictures.count, start + VGGEncoder.batchSize)])
      return try encoder.checkedMaps(ImageLoader(encoder.preprocessing).input(part), tap).scalars
    }
  }

  /// More photos than go through the convolutions at once, some of them twice, each with draws of its own.
  @Test(arguments: [VGGEncoder.Tap.map, .pooled]) func aStepSeesWhatIsDrawn(tap: VGGEncoder.Tap) throws {
    try Self.with(tap) { photos, cache, encoder in
      let rows = [2, 0, 1, 1, 0, 2, 2, 0, 1, 0, 0]
      var (random, again) = (Random(seed: 3), Random(seed: 3))
      let seen = photos.drawn(rows, using: &random)
      let pictures = rows.map { row in
        var own = Random(seed: again.next())
        return Self.augmentation(cache.image(of: row), width: 32, height: 24, using: &own)
      }
      #expect(random == again)
      #expect(Set(pictures.map(\.pixels)).count == rows.count)
      #expect(seen.shape == [rows.count, photos.width])
      let expected = try Self.features(pictures, encoder, tap)
      #expect(seen.scalars == expected)
      let next = photos.drawn(rows, using: &random)
      #expect(next != seen)
      // As they are.
      let plain = [2, 0].map { encoder.preprocessing.fitted(cache.image(of: $0)) }
      let unchanged = try Self.features(plain, encoder, tap)
      #expect(photos.read([2, 0]).scalars == unchanged)
      #expect(photos.read([]).shape == [0, photos.width])
    }
  }

  private static func configuration(in folder: String) throws -> TrainingConfiguration {
    var configuration = try TrainingRunTests.configuration(in: folder)
    configuration.augmentation = .cropsAndColour
    configuration.fineTuneFrom = "conv2_1"
    configuration.encoderLearningRate = 0.01
    return configuration
  }

  private static func model(_ folder: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: folder + "/model.safetensors"))
  }

  /// While photos are read (1), while validation's features are computed (2), in the middle of an epoch (4, 7), at its end
  /// (6): what an uninterrupted run leaves, bit for bit.
  @Test func aRunGoesOnWhereItStood() throws {
    try withTemporaryFolder { folder in
      let configuration = try Self.configuration(in: folder)
      let perplexity = try TrainingRun(configuration, folder: folder + "/whole").run()
      let (whole, log) = try (Self.model(folder + "/whole"), logLines(folder + "/whole"))
      for stop in [1, 2, 4, 6, 7] {
        let path = "\(folder)/run\(stop)"
        var asked = 0
        #expect(throws: TrainingError.interrupted(path: path)) {
          _ = try TrainingRun(configuration, folder: path).run(shouldStop: {
            asked += 1
            return asked >= stop
          })
        }
        let kept = try #require(try TrainingRun.configuration(in: path))
        #expect(kept == configuration)
        #expect(try TrainingRun(kept, folder: path, resume: true).run() == perplexity)
        #expect(try Self.model(path) == whole && logLines(path) == log, "\(stop)")
      }
    }
  }

  /// Validation sees the photos as they are, by features as every run has them; of training photos none are kept.
  @Test func validationSeesUnchangedPhotos() throws {
    try withTemporaryFolder { folder in
      var configuration = try Self.configuration(in: folder)
      configuration.epochs = 1
      _ = try TrainingRun(configuration, folder: folder + "/augmented").run()
      configuration.augmentation = .none
      _ = try TrainingRun(configuration, folder: folder + "/plain").run()
      let files = try ["augmented", "plain"].map { run in
        try FileManager.default.contentsOfDirectory(atPath: folder + "/" + run)
          .filter { $0.hasPrefix("features-") || $0.hasPrefix("photos-") }.sorted()
      }
      #expect(files[0].count == 2 && files[0][1].hasPrefix("photos-") && files[1] == [files[0][0]])
      let features = try ["augmented", "plain"].map { run in
        try SafetensorsFile(path: "\(folder)/\(run)/\(files[0][0])").tensor(named: "features")
      }
      #expect(features[0] == features[1])
      let model = try ModelDescription(of: SafetensorsFile(path: folder + "/augmented/model.safetensors"))
      #expect(model.training["augmentation"] == "crops-and-colour")
    }
  }

  @Test(arguments: ["", "conv2_1"]) func aRunLearns(fineTuneFrom: String) throws {
    try withTemporaryFolder { folder in
      var configuration = try Self.configuration(in: folder)
      configuration.fineTuneFrom = fineTuneFrom
      (configuration.batchUnit, configuration.batchSize) = (.images, 2)
      (configuration.epochs, configuration.learningRate) = (25, 0.02)
      configuration.featureDropout = 0
      (configuration.embeddingDropout, configuration.outputDropout) = (0, 0)
      _ = try TrainingRun(configuration, folder: folder + "/run").run()
      let losses = try logLines(folder + "/run").compactMap { line -> Double? in
        let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        return object?["training_loss"] as? Double
      }
      #expect(losses.count == 25)
      let (first, last) = try (#require(losses.first), #require(losses.last))
      #expect(last < 0.6 * first, "\(first), \(last)")
    }
  }
}
