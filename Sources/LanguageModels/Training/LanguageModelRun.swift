internal import Foundation
internal import Layers
internal import Models
internal import Support
internal import Tensors
internal import Training

/// A run in a folder that trains a language model, from text files to `model.safetensors`.
///
/// A run that was stopped, or whose process was killed, is taken up again with `resume`, and ends as if nothing had been.
///
/// ```swift
/// var configuration = LanguageModelConfiguration()
/// configuration.text = ["book.txt"]
/// let run = try LanguageModelRun(configuration, folder: "run")
/// try run.run(report: { print($0) })
/// ```
public struct LanguageModelRun {
  /// What happens as the run goes, for whoever watches.
  public enum Event: Sendable {
    /// Something worth a line.
    case message(String)
    /// Something to be looked at.
    case warning(String)
    /// The folder is there and kept from other runs, and training begins or goes on after so many steps.
    case began(step: Int)
    /// Steps taken, of how many, of so many tokens each, and the moving average of their loss (nats a token).
    case progress(step: Int, steps: Int, tokens: Int, smoothLoss: Double)
    /// The held-out text was scored; or an epoch is over, where there is none.
    case validated(LanguageModelRecord.Validation)
  }

  /// The options.
  public let configuration: LanguageModelConfiguration
  /// Where everything that the run writes goes.
  public let folder: String
  private let isBegun: Bool

  /// A new run in `folder`, or the one that is there.
  /// - Throws: `TrainingError` when options are out of range, or when the folder holds a run that is not to be resumed, or
  ///   none that could be.
  public init(_ configuration: LanguageModelConfiguration, folder: String, resume: Bool = false) throws {
    isBegun = FileManager.default.fileExists(atPath: Self.checkpointPath(in: folder))
    if isBegun && !resume { throw TrainingError.alreadyThere(path: folder) }
    // A run that was stopped before its first checkpoint has a configuration and begins again.
    if resume && !isBegun && !FileManager.default.fileExists(atPath: Self.configurationPath(in: folder)) {
      throw TrainingError.nothingToResume(path: folder)
    }
    if configuration.text.isEmpty { throw TrainingError.configuration("expected a text file, found none") }
    if let problem = configuration.problem { throw TrainingError.configuration(problem) }
    self.configuration = configuration
    self.folder = folder
  }

  /// The options of the run in `folder`, as its `config.json` has them; nil: there is none.
  public static func configuration(in folder: String) throws -> LanguageModelConfiguration? {
    let path = configurationPath(in: folder)
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    let file = try FileContents(path: path, limit: 1 << 24)
    let json = withExtendedLifetime(file) { Data(file.bytes) }
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    guard let found = try? decoder.decode(LanguageModelConfiguration.self, from: json) else {
      throw TrainingError.configuration(
        "\(path): expected the options of a language model's run, found others")
    }
    return found
  }

  /// Trains to the end.
  /// - Parameters:
  ///   - shouldStop: asked between steps; once it says so, a checkpoint is written and the run ends.
  ///   - report: told what happens.
  /// - Throws: `TrainingError.interrupted` after `shouldStop`; `TrainingError`, and the errors of files.
  public func run(
    shouldStop: @escaping () -> Bool = { false }, report: @escaping (Event) -> Void = { _ in }
  ) throws {
    try RunFolder(folder).check()
    if FileManager.default.fileExists(atPath: folder) { try checkOutputs() }
    let checkpoint = try isBegun ? SafetensorsFile(path: Self.checkpointPath(in: folder)) : nil
    let (description, data) = try read(report)
    if let checkpoint { _ = try LanguageModelState(of: checkpoint) }
    let lock = try RunFolder(folder).open()
    defer { withExtendedLifetime(lock) {} }
    try checkOutputs()
    if !isBegun { try writeConfiguration() }
    var random = Random(seed: configuration.seed, stream: Self.initialisationStream)
    let network = description.network { initial($0, using: &random) }
    try train(network, description, data, checkpoint, shouldStop, report)
  }

  /// The stream that the weights begin with.
  private static var initialisationStream: UInt64 { 1 }

  /// A parameter at its start.
  private func initial(_ parameter: ParameterSpecification, using random: inout Random) -> Tensor {
    switch parameter.initial {
    case .uniform, .normal, .identity:
      guard configuration.initialDeviation > 0 else { break }
      return Tensor(
        normal: parameter.shape, standardDeviation: Float(configuration.initialDeviation), using: &random)
    case .zero, .constant, .openGate: break
    }
    return parameter.untrained(using: &random, forgetBias: Float(configuration.forgetBias))
  }

  private func train(
    _ network: some LanguageNetwork, _ description: LanguageModelDescription, _ data: LanguageModelData,
    _ checkpoint: SafetensorsFile?, _ shouldStop: @escaping () -> Bool, _ report: @escaping (Event) -> Void
  ) throws {
    var trainer = try LanguageModelTrainer(
      network, description, data, self, checkpoint: checkpoint, shouldStop: shouldStop, report: report)
    // Only now are other options known to be ones that may change.
    if isBegun { try writeConfiguration() }
    report(.began(step: trainer.state.step))
    try trainer.run()
  }

  /// Reads the texts, and makes the vocabulary of what is learned.
  private func read(
    _ report: (Event) -> Void
  ) throws -> (description: LanguageModelDescription, data: LanguageModelData) {
    let name = configuration.text.joined(separator: ", ")
    var text = try SourceText(contentsOf: configuration.text, unit: configuration.unit)
    var heldOut: SourceText?
    if !configuration.validation.isEmpty {
      heldOut = try SourceText(contentsOf: configuration.validation, unit: configuration.unit)
    } else if configuration.validationShare > 0 {
      let parts = text.divided(lastShare: configuration.validationShare)
      text = parts.first
      heldOut = parts.last
    }
    let vocabulary = text.vocabulary(
      minimumCount: configuration.minimumCount, hasUnknown: configuration.unknown)
    guard vocabulary.unit == .words || vocabulary.count <= TextVocabulary.mostCharacters else {
      throw LanguageModelError.text(
        path: name, location: "the text",
        expected:
          "at most \(TextVocabulary.mostCharacters) different characters (--min-count leaves rare ones out)",
        found: "\(vocabulary.count)")
    }
    let train = try EncodedText(text, as: vocabulary, named: name)
    guard train.tokens.count >= 2 else {
      throw LanguageModelError.text(
        path: name, location: "the text",
        expected: "2 \(configuration.unit.rawValue) to learn at least", found: "\(train.tokens.count)")
    }
    let validationName =
      configuration.validation.isEmpty ? name : configuration.validation.joined(separator: ", ")
    var validation = try heldOut.map { try EncodedText($0, as: vocabulary, named: validationName) }
    if let found = validation, found.tokens.count < 2 {
      report(
        .warning("nothing is validated on: \(found.tokens.count) \(configuration.unit.rawValue) are held out")
      )
      validation = nil
    }
    let kinds = configuration.unit == .words ? "words" : "different characters"
    report(
      .message(
        "\(train.tokens.count) \(configuration.unit.rawValue) to learn, \(validation?.tokens.count ?? 0) held out; "
          + "\(vocabulary.count) \(kinds)"))
    let coverage = 1 - Double(train.unknownCount) / Double(train.tokens.count)
    if coverage < 0.9 {
      report(
        .warning(
          String(format: "the vocabulary covers only %.1f %% of the text: ", coverage * 100)
            + "a --min-count below \(configuration.minimumCount) keeps more"))
    }
    return (configuration.description(vocabulary), LanguageModelData(train: train, validation: validation))
  }

  /// The files of a new run must not be those that it reads, and they can be written.
  private func checkOutputs() throws {
    var outputs = Outputs(readingFrom: isBegun ? [] : configuration.text + configuration.validation)
    for name in ["model.safetensors", "checkpoint.safetensors", "config.json", "log.jsonl"] {
      try outputs.add(folder + "/" + name, "--output")
    }
  }

  static func checkpointPath(in folder: String) -> String { folder + "/checkpoint.safetensors" }
  private static func configurationPath(in folder: String) -> String { folder + "/config.json" }

  private func writeConfiguration() throws {
    let json = try canonicalJSON(configuration, [.indented, .snakeCase])
    try AtomicFile.write(to: Self.configurationPath(in: folder)) { try $0.write(json + "\n") }
  }
}
