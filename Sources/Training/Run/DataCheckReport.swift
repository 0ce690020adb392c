public import Datasets
internal import Language
internal import Models
internal import Support

/// What training would make of its data, and roughly what it would take, without training.
public struct DataCheckReport: Sendable, Encodable {
  /// Whether all can be used, there is something to learn from, and the disk has room.
  public let usable: Bool
  /// What was found.
  public let data: DataCheck
  /// What was found beside captions; nil: there is nothing.
  public let beside: SourcesCheck?
  /// The share of validation words that become `<unk>`.
  public let unknownShare: Double
  /// Options that were chosen because they were left open, in words.
  public let notes: [String]
  /// What would be taken of the model that the run begins from; nil: it begins from random weights.
  public let start: StartSummary?
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
    let configuration = configuration.withEncoder
    if let problem = configuration.missing ?? configuration.problem {
      throw TrainingError.configuration(problem)
    }
    let source = try configuration.encoderSource(in: folder)
    let train = try configuration.trainingDataset()
    let validation = try configuration.validationDataset()
    for dataset in [train, validation] { _ = try dataset.missingFiles() }
    let (prepared, notes) = try configuration.prepared(for: train.captionCount, source)
    // Before every image is read.
    _ = try RunNetwork(prepared, source)
    let sources = try RunSources(prepared)
    var total = 0
    let begin = ContinuousClock.now
    data = DataCheck(
      train: train, validation: validation, minimumCount: prepared.minimumCount,
      besides: sources.counts, reader: configuration.imageReader(), features: source.features
    ) { done, all in
      progress(done, all)
      total = all
    }
    let seconds = (ContinuousClock.now - begin) / .seconds(1)
    beside =
      sources.isEmpty
      ? nil
      : SourcesCheck(
        sources, features: source.features, reader: configuration.imageReader(), progress: progress)
    unknownShare = data.validation.unknownShare
    self.notes = notes + prepared.weightNotes(train)
    self.start = try Self.start(prepared, source, train, sources)
    estimate = try RunEstimate(
      prepared, source, data, sources, folder: folder,
      decodeSeconds: seconds / Double(max(total, 1)))
    usable =
      data.usable && beside?.usable != false && estimate.fits && data.train.captions > 0
      && data.validation.captions > 0
  }

  private static func start(
    _ configuration: TrainingConfiguration, _ source: EncoderSource, _ train: CaptionDataset,
    _ sources: RunSources
  ) throws -> StartSummary? {
    guard !configuration.start.isEmpty else { return nil }
    let network = try RunNetwork(configuration, source)
    let vocabulary = sources.vocabulary(with: train.tokenized())
    let description = ModelDescription(
      encoder: network.architecture, preprocessing: source.preprocessing, decoder: configuration.decoder,
      vocabulary: vocabulary)
    return try ModelStart(
      configuration.start, for: description, encoder: (source.file, source.prefix),
      learning: network.learningPaths
    ).summary
  }

  /// The report as one JSON object.
  public func json() throws -> String { try canonicalJSON(self, .snakeCase) }
}
