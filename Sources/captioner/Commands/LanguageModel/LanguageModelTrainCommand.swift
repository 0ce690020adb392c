import ArgumentParser
import Foundation
import LanguageModels
import Support
import Training

/// `captioner language-model train`: a language model from text.
struct LanguageModelTrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train", abstract: "Trains a language model on text.",
    usage: "captioner language-model train [<options>] <text> ... --output <folder>",
    discussion: """
      Truncated backpropagation through time: the text is cut into --batch-size
      streams, read --sequence-length characters or words at a time, with the state
      carried over from one step to the next. Writes OUTPUT/model.safetensors (the
      best so far on held-out text), checkpoint.safetensors, config.json and
      log.jsonl. Ctrl-C saves and stops; --resume continues exactly where the run
      stood.

      Examples:
        captioner language-model train book.txt --output run
        captioner language-model train *.swift --layers 3 --hidden-size 512 --output run
        captioner language-model train book.txt --unit words --min-count 5 --output run
        captioner language-model train input.txt --preset min-char-rnn --output run
        captioner language-model train --resume --output run
      """)

  @Argument(help: "Text files, UTF-8, learned one after the other.") var text: [String] = []
  @Option(help: ArgumentHelp("Folder for everything the run writes.", valueName: "folder")) var output: String
  @Option(
    help: ArgumentHelp(
      "Model of the literature: \(LanguageModelPreset.all.map(\.name).joined(separator: ", ")). What it sets is printed.",
      valueName: "name")) var preset: String?
  @Flag(help: "Continue the run in --output; its options are in its config.json.") var resume = false
  @OptionGroup var engine: EngineOptions
  @OptionGroup var options: LanguageModelOptions

  func run() throws {
    engine.apply()
    try reportingErrors {
      let configuration = try resolvedConfiguration()
      if let problem = configuration.problem { throw UsageError(description: problem) }
      let monitor = LanguageModelMonitor(folder: output, configuration.unit)
      do {
        try LanguageModelRun(configuration, folder: output, resume: resume).run(
          shouldStop: { Interruption.requested }, report: { monitor.show($0) })
      } catch {
        monitor.clear()
        throw error
      }
      monitor.finish()
    }
  }

  /// The defaults or a run's options, then those of a preset, then those that were given.
  private func resolvedConfiguration() throws -> LanguageModelConfiguration {
    var configuration = LanguageModelConfiguration()
    if resume {
      guard let saved = try LanguageModelRun.configuration(in: output) else {
        throw TrainingError.nothingToResume(path: output)
      }
      configuration = saved
    }
    if let preset { try apply(preset, to: &configuration) }
    if !text.isEmpty { configuration.text = text }
    guard !configuration.text.isEmpty else {
      throw UsageError(description: "expected a text file to learn, found none")
    }
    try options.apply(to: &configuration)
    // A run may be gone on with from another folder.
    configuration.text = configuration.text.map(Self.absolute)
    configuration.validation = configuration.validation.map(Self.absolute)
    return configuration
  }

  private static func absolute(_ path: String) -> String {
    path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
  }

  private func apply(_ name: String, to configuration: inout LanguageModelConfiguration) throws {
    guard let preset = LanguageModelPreset(named: name) else {
      throw UsageError(
        description:
          "--preset: expected \(LanguageModelPreset.all.map(\.name).joined(separator: ", ")), found \(name)")
    }
    if resume { throw UsageError(description: "--preset: a run that goes on keeps its network") }
    preset.apply(to: &configuration)
    Console.note("\(preset.name) (\(preset.source)): \(preset.text)")
  }
}

/// Shows a run as it goes: lines and a bar on standard error.
private final class LanguageModelMonitor {
  private let folder: String
  private let unit: TextUnit
  private var first = 0
  private var bar: ProgressLine?
  private var last: LanguageModelRecord.Validation?

  init(folder: String, _ unit: TextUnit) {
    self.folder = folder
    self.unit = unit
  }

  func show(_ event: LanguageModelRun.Event) {
    switch event {
    case .message(let text): Console.note(text)
    case .warning(let text): Console.complain(text)
    case .began(let step):
      Interruption.watch()
      first = step
    case .progress(let step, let steps, let tokens, let smoothLoss):
      if bar == nil {
        bar = ProgressLine("training", total: steps * tokens, unit: unit.rawValue, from: first * tokens)
      }
      bar?.update(step * tokens, note: String(format: "loss %.3f", smoothLoss))
      if step == steps {
        bar?.finish(step * tokens)
        bar = nil
      }
    case .validated(let record):
      bar?.clear()
      Console.note(record.line(unit))
      last = record
    }
  }

  func clear() { bar?.clear() }

  func finish() {
    clear()
    let path = folder + "/model.safetensors"
    guard let bits = last?.bits_per_token else { return Console.note(path) }
    Console.note(String(format: "%@: held out %.4f bits a %@ at the end", path, bits, unit.singular))
  }
}
