public import Datasets
internal import Models
internal import Support

/// What training would make of its data, and roughly what it would take, without training.
public struct DataCheckReport: Sendable, Encodable {
  /// Whether all can be used, there is something to learn from, and the disk has room.
  public let usable: Bool
  /// What was found.
  public let data: DataCheck
  /// The share of validation words that become `<unk>`.
  public let unknownShare: Double
  /// Time, memory and disk.
  public let estimate: RunEstimate

  /// Reads every image and caption, and tries how fast the machine is.
  /// - Parameters:
  ///   - folder: where the run would be; the disk there is looked at.
  ///   - progress: called with the number of images decoded so far and of all.
  /// - Throws: `TrainingError.configuration`, `DatasetError`, `SafetensorsError`, `ModelError`.
  public init(
    _ configuration: TrainingConfiguration, folder: String, progress: (Int, Int) -> Void = { _, _ in }
  ) throws {
    if let problem = configuration.missing ?? configuration.problem {
      throw TrainingError.configuration(problem)
    }
    let source = try EncoderSource(path: configuration.encoder, preprocessing: configuration.preprocessing)
    let train = try configuration.trainingDataset()
    let validation = try configuration.validationDataset()
    for dataset in [train, validation] { _ = try dataset.missingFiles() }
    var total = 0
    let start = ContinuousClock.now
    data = DataCheck(
      train: train, validation: validation, minimumCount: configuration.minimumCount
    ) { done, all in
      progress(done, all)
      total = all
    }
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    unknownShare = data.validation.unknownShare
    estimate = try RunEstimate(
      configuration.suited(to: train.captionCount).configuration, source, data, folder: folder,
      decodeSeconds: seconds / Double(max(total, 1)))
    usable = data.usable && estimate.fits && data.train.captions > 0 && data.validation.captions > 0
  }

  /// The report as one JSON object.
  public func json() throws -> String { try canonicalJSON(self, .snakeCase) }
}
