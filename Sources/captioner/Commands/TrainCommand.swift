import ArgumentParser
import Datasets
import Support
import Training

/// `captioner train`: a captioner from photos and captions.
struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train", abstract: "Trains a captioner on photos with captions.",
    discussion: """
      Runs the convolutions that stay as they are once over all images (kept in
      OUTPUT/features-*.safetensors), then trains the FC head, the recurrent decoder
      and the convolutions that are to learn. Writes OUTPUT/model.safetensors (the best
      so far on validation), checkpoint.safetensors, config.json, log.jsonl and
      report.html. Ctrl-C saves and stops; --resume continues exactly where the run
      stood.

      Options come from the defaults, then --config, then the command line. One
      that has no effect beside the others is refused. Rarely used options are shown by
      captioner train --help-hidden. --check reads all images and
      captions without training: exit status 1 if any could not be used.

      Examples:
        captioner train --captions train.json --images photos \\
          --validation-captions val.json --encoder vgg16.safetensors --output run
        captioner train --captions dataset_coco.json --images coco \\
          --encoder vgg16.safetensors --output run
        captioner train --captions captions.csv --images photos --validation-share 0.1 \\
          --encoder vgg16.safetensors --output run
        captioner train --resume --output run
        captioner train --config run/config.json --seed 2 --output run2
      """)

  @Option(help: ArgumentHelp("Folder for everything the run writes.", valueName: "folder")) var output: String
  @Option(help: ArgumentHelp("JSON file of options, as a run's config.json.", valueName: "file"))
  var config: String?
  @Flag(help: "Continue the run in --output; its options are in its config.json.") var resume = false
  @Flag(help: "Train nothing: read every image and caption and report what could not be used.")
  var check = false
  enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }
  @Option(help: ArgumentHelp("What --check prints; json is one object. (default: text)", valueName: "format"))
  var format: Format?
  @OptionGroup var engine: EngineOptions
  @OptionGroup var options: TrainOptions

  func run() throws {
    engine.apply()
    try reportingErrors {
      if format != nil && !check {
        throw UsageError(description: "--format: has an effect only with --check")
      }
      let configuration = try resolvedConfiguration()
      if let problem = configuration.problem ?? configuration.missing {
        throw UsageError(description: problem)
      }
      if check {
        let report = try checkedData(configuration)
        try Console.print(format == .json ? report.json() : report.text())
        if !report.usable { throw ExitCode(1) }
      } else {
        try train(TrainingRun(configuration, folder: output, resume: resume))
      }
    }
  }

  /// The defaults, then the options of a file, then those that were given.
  private func resolvedConfiguration() throws -> TrainingConfiguration {
    var configuration = TrainingConfiguration()
    if let config {
      configuration = try TrainingConfiguration(contentsOf: config)
    } else if resume {
      guard let saved = try TrainingRun.configuration(in: output) else {
        throw TrainingError.nothingToResume(path: output)
      }
      configuration = saved
    }
    try options.apply(to: &configuration)
    return configuration
  }

  private func checkedData(_ configuration: TrainingConfiguration) throws -> DataCheckReport {
    var progress: ProgressLine?
    var total = 0
    let report = try DataCheckReport(configuration, folder: output) { done, all in
      if progress == nil { progress = ProgressLine("images", total: all, unit: "images") }
      progress?.update(done)
      total = all
      if done == all { progress?.finish(total) }
    }
    return report
  }

  private func train(_ run: TrainingRun) throws {
    let monitor = RunMonitor(folder: output)
    let finished: Bool
    do {
      let perplexity = try run.run(
        shouldStop: { Interruption.requested }, report: { monitor.show($0) })
      monitor.finish(perplexity: perplexity)
      finished = monitor.unreadable == 0
    } catch {
      monitor.stop(error)
      throw error
    }
    // As in every batch, what can't be read costs itself alone and the status tells.
    if !finished { throw ExitCode(1) }
  }
}
