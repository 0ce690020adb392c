internal import Models
internal import Datasets
internal import Evaluation
internal import Foundation
internal import Imaging
internal import Kernels
internal import Language
public import Support
internal import Tensors

/// A training run in a folder, from caption files and photos to `model.safetensors`.
///
/// It reads the data, runs the frozen convolutions once over all images into `features-*.safetensors` (or keeps the photos
/// to change them at every step, in `photos-*.safetensors`), and trains. A run
/// that was stopped, or whose process was killed, is taken up again with `resume`, and ends as if nothing had been.
///
/// ```swift
/// var configuration = TrainingConfiguration()
/// configuration.captions = ["train.json"]
/// configuration.images = ["photos"]
/// configuration.encoder = "vgg16.safetensors"
/// let run = try TrainingRun(configuration, folder: "run")
/// let perplexity = try run.run(report: { print($0) })
/// ```
public struct TrainingRun {
  /// What happens as the run goes, for whoever watches.
  public enum Event: Sendable {
    /// Something worth a line.
    case message(String)
    /// Something to be looked at: an image that can't be read, a file with odd captions.
    case warning(String)
    /// The folder is there, holds `config.json` and is kept from other runs.
    case opened
    /// Images of a split, or of a view of it, whose features are there, of how many that were missing; the last of these
    /// events has them all.
    case features(name: String, done: Int, total: Int)
    /// So many images can't be read and are left out; at least one.
    case unreadable(images: Int)
    /// Training begins or goes on, from what the folder's checkpoint says.
    case began
    /// Batches done in the epoch, of how many, and the epoch's mean loss so far (nats per word); epoch 0 is a stage
    /// before the captions, and its loss that of the step.
    case progress(epoch: Int, batch: Int, batches: Int, loss: Double)
    /// An epoch is over and logged.
    case epoch(TrainingRecord.Epoch)
  }

  /// The options.
  public let configuration: TrainingConfiguration
  /// Where everything that the run writes goes.
  public let folder: String
  private let source: EncoderSource
  /// Whether there is a checkpoint to go on from.
  private let isBegun: Bool
  /// The processes that share the run; rank 0 writes and reports.
  private let group: any ProcessGroup

  /// A new run in `folder`, or the one that is there.
  /// - Parameter group: the processes that share the run, of which each is told the same and sees the same folder.
  /// - Throws: `TrainingError` when options are missing or out of range, when the folder holds a run that is not to be
  ///   resumed, or none that could be; `SafetensorsError`, `ModelError` of the encoder's file.
  public init(
    _ configuration: TrainingConfiguration, folder: String, resume: Bool = false,
    among group: any ProcessGroup = OneProcess()
  ) throws {
    self.group = group
    isBegun = FileManager.default.fileExists(atPath: folder + "/checkpoint.safetensors")
    if isBegun && !resume { throw TrainingError.alreadyThere(path: folder) }
    // A run that was stopped before its first checkpoint has a configuration and begins again.
    if resume && !isBegun && !FileManager.default.fileExists(atPath: Self.configurationPath(in: folder)) {
      throw TrainingError.nothingToResume(path: folder)
    }
    let configuration = configuration.withEncoder
    let problem = configuration.missing ?? configuration.problem ?? (resume ? configuration.lost : nil)
    if let problem { throw TrainingError.configuration(problem) }
    self.configuration = configuration
    self.folder = folder
    source = try configuration.encoderSource(in: folder)
  }

  /// The options of the run in `folder`, as its `config.json` has them; nil: there is none. Files that have moved with the
  /// folder, or that relative paths no longer lead to, are looked for: the options say where they are now.
  public static func configuration(in folder: String) throws -> TrainingConfiguration? {
    let path = configurationPath(in: folder)
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    let file = try TrainingConfiguration.decoded(RunFile.self, contentsOf: path)
    return file.configuration.ofARun.moved(from: file.place, to: RunPlace(folder: folder))
  }

  /// Trains to the end.
  /// - Parameters:
  ///   - shouldStop: asked between batches; once it says so, a checkpoint is written and the run ends.
  ///   - report: told what happens.
  /// - Returns: the best validation perplexity per word.
  /// - Throws: `TrainingError.interrupted` after `shouldStop`; `TrainingError`, and the errors of files.
  public func run(
    shouldStop: @escaping () -> Bool = { false }, report: @escaping (Event) -> Void = { _ in }
  ) throws -> Double {
    if group.isFirst {
      try RunFolder(folder).check()
      if FileManager.default.fileExists(atPath: folder) { try checkOutputs() }
    }
    let begun = try begunState()
    let trainingData = try configuration.trainingDataset()
    let train = try split(trainingData, configuration.captions, report)
    let validationPaths = configuration.validationCaptions
    let validationData = try configuration.validationDataset()
    let validation = try split(
      validationData, validationPaths.isEmpty ? configuration.captions : validationPaths, besides: train,
      report)
    let skipped = trainingData.skipped.union(validationData.skipped)
    if !skipped.isEmpty { report(.message("\(skipped.count) images left out, as --skip says")) }
    if let warning = try configuration.skipList().warning(used: skipped) { report(.warning(warning)) }
    if let warning = SharedFiles(trainingData, validationData).warning { report(.warning(warning)) }
    let (configuration, notes) =
      isBegun ? (configuration, []) : try configuration.prepared(for: trainingData.captionCount, source)
    for note in notes + configuration.weightNotes(trainingData) { report(.message(note)) }
    let meteor = try configuration.meteorData()
    let sources = try RunSources(configuration)
    for note in sources.notes { report(.message(note)) }
    let vocabulary = sources.vocabulary(with: train.tokens)
    let coverage = train.tokens.statistics(of: vocabulary).coverage
    report(
      .message(
        "\(train.files.count) images, \(train.tokens.count) captions; \(vocabulary.count) words cover "
          + String(format: "%.2f %%", coverage * 100)))
    if validation.files.count == 1 { report(.warning(EvaluationError.ciderOfOneImage)) }
    for warning in warnings(coverage, validation.tokens.statistics(of: vocabulary).coverage) {
      report(.warning(warning))
    }
    let learned = train.learned(by: vocabulary, configuration)
    if learned.long > 0 {
      let fate = configuration.longCaptions == .clip ? "clipped" : "left out"
      report(.message("\(learned.long) captions of more than \(configuration.maximumLength) words \(fate)"))
    }
    let network = try RunNetwork(configuration, source)
    if let problem = configuration.problem(images: train.files.count) {
      throw TrainingError.configuration(problem)
    }
    let description = ModelDescription(
      encoder: network.architecture, preprocessing: source.preprocessing,
      decoder: configuration.decoder(about: network.architecture),
      vocabulary: vocabulary)
    if !isBegun && !configuration.start.isEmpty {
      let start = try ModelStart(
        configuration.start, for: description, encoder: (source.file, source.prefix),
        learning: network.learningPaths)
      report(.message(start.summary.text))
    }
    try RunAgreement.check(among: group, options: configuration) {
      [
        ("words of the vocabulary", vocabulary.words),
        ("training captions", learned.captions.map { "\($0)" }),
        ("training images", train.names), ("validation captions", validation.tokens.map { "\($0)" }),
        ("validation images", validation.names),
        ("checkpoint", [try begun.map { try canonicalJSON($0, .snakeCase) } ?? "none"]),
        ("vector instructions (CAPTIONER_ISA)", ["\(InstructionSet.current)"]),
      ]
    }
    let lock = group.isFirst ? try RunFolder(folder).open() : nil
    defer { withExtendedLifetime(lock) {} }
    if group.isFirst {
      try checkOutputs()
      if !isBegun { try write(configuration) }
    }
    report(.opened)
    let given = source.features.map {
      RunGivenFeatures($0, folder: folder, shouldStop: shouldStop, report: report)
    }
    report(.message(given == nil ? configuration.decoding.inWords : network.architecture.name))
    let features: any RunFeatures =
      try given
      ?? RunMaps(
        configuration, network, source, folder: folder, among: group, shouldStop: shouldStop,
        report: report)
    if let begun { try features.check(begun, configuration, at: checkpointPath) }
    let trainSplit = try EncodedSplit(
      captions: learned.captions, rows: learned.rows, references: train.references(of:), names: train.names,
      photos: features.features(of: train.photos), sources: train.sources)
    let told = validation.encoded(by: vocabulary)
    let validationSplit = try EncodedSplit(
      captions: told.captions, rows: told.rows, references: validation.references(of:),
      names: validation.names,
      photos: features.plainFeatures(of: validation.photos))
    let beside = try sources.data(vocabulary) { try features.features(of: $0) }
    try RunAgreement.check(among: group) {
      [
        ("readable images", [trainSplit, validationSplit].map { "\($0.fingerprint) \($0.photos.key)" }),
        ("texts, labels or scores", [beside.fingerprint]),
      ]
    }
    if !features.unreadable.isEmpty { report(.unreadable(images: features.unreadable.count)) }
    var trainer = try Trainer(
      configuration, description,
      TrainingData(train: trainSplit, validation: validationSplit, beside: beside, meteor: meteor),
      encoder: (source.file, source.prefix), folder: folder, resume: isBegun, among: group)
    trainer.shouldStop = shouldStop
    trainer.report = { event in
      switch event {
      case .message(let text): report(.message(text))
      case .progress(let epoch, let batch, let batches, let loss):
        report(.progress(epoch: epoch, batch: batch, batches: batches, loss: loss))
      case .epoch(let record): report(.epoch(record))
      }
    }
    // Only now are other options known to be ones that may change.
    if isBegun && group.isFirst { try write(configuration) }
    report(.began)
    do { return try trainer.run() } catch TrainingError.diverged(let step, let what) {
      // Numbers that can't be read any more are none.
      throw given?.error ?? TrainingError.diverged(step: step, what: what)
    }
  }

  private func split(
    _ dataset: CaptionDataset, _ paths: [String], besides training: TrainingSplit? = nil,
    _ report: (Event) -> Void
  ) throws -> TrainingSplit {
    let split = try TrainingSplit(dataset, paths: paths, besides: training)
    for warning in dataset.warnings { report(.warning(warning)) }
    return split
  }

  /// What to say of a vocabulary that knows too few words.
  /// - Parameters:
  ///   - training: the share of training words that it knows.
  ///   - validation: the same of validation words.
  private func warnings(_ training: Double, _ validation: Double) -> [String] {
    func percent(_ share: Double) -> String { String(format: "%.1f %%", share * 100) }
    var warnings: [String] = []
    if training < Vocabulary.Statistics.leastCoverage {
      warnings.append(
        "the vocabulary covers only \(percent(training)) of the training words: a --min-count below "
          + "\(configuration.minimumCount) keeps more")
    }
    if validation < Vocabulary.Statistics.leastCoverage {
      warnings.append(
        "\(percent(1 - validation)) of the validation words become <unk>: training has too few of them")
    }
    return warnings
  }

  /// Where a run that has begun stands, with options that let it go on; nil: it has not begun.
  /// - Throws: `TrainingError.otherRun`, before anything is read or computed for it.
  private func begunState() throws -> RunState? {
    guard isBegun else { return nil }
    let state = try Checkpoint.state(in: SafetensorsFile(path: checkpointPath))
    let differences = configuration.differences(
      from: state.configuration, isBetweenEpochs: state.batch == 0)
    guard differences.isEmpty else {
      throw TrainingError.otherRun(path: checkpointPath, differences: differences)
    }
    return state
  }

  private var checkpointPath: String { folder + "/checkpoint.safetensors" }

  /// The files of a new run must not be those that it reads, and they can be written. (Its own `config.json` may have
  /// given the options: it will hold the same.)
  private func checkOutputs() throws {
    let read = configuration.sources.flatMap(\.paths) + [configuration.start]
    var outputs = Outputs(readingFrom: isBegun ? [] : read)
    // Not the page: a run does without it.
    for name in ["model.safetensors", "checkpoint.safetensors", "config.json", "log.jsonl"] {
      try outputs.add(folder + "/" + name, "--output")
    }
  }

  private static func configurationPath(in folder: String) -> String { folder + "/config.json" }

  private func write(_ configuration: TrainingConfiguration) throws {
    let json = try canonicalJSON(RunFile(configuration, place: RunPlace(folder: folder)), .indented)
    try AtomicFile.write(to: Self.configurationPath(in: folder)) { try $0.write(json + "\n") }
  }
}
