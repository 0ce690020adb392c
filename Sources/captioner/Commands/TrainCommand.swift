import ArgumentParser
import Datasets
import Foundation
import Support
import Training

/// `captioner train`: a captioner from photos and captions.
struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train", abstract: "Trains a captioner on photos with captions.",
    discussion: """
      Runs the convolutions that stay as they are once over all images (kept in
      OUTPUT/features-*.safetensors; with --augmentation at every step, over photos
      kept small in OUTPUT/photos-*.safetensors), then trains the FC head, the
      recurrent decoder and the convolutions that are to learn. Writes
      OUTPUT/model.safetensors (the best so far on validation),
      checkpoint.safetensors, config.json, log.jsonl and report.html. Ctrl-C saves and
      stops; --resume continues exactly where the run stood.

      Options come from the defaults, then --config, then --preset, then the command
      line. One that has no effect beside the others is refused. Rarely used options
      are shown by captioner train --help-hidden. --check reads all images and
      captions without training: exit status 1 if any could not be used.

      Examples:
        captioner train --captions captions.csv --images photos \\
          --validation-share 0.1 --output run
        captioner train --captions train.json --images photos \\
          --validation-captions val.json --encoder vgg16.safetensors --output run
        captioner train --captions dataset_coco.json --images coco \\
          --start run/model.safetensors --output run2
        captioner train --captions train.json --images photos --validation-share 0.1 \\
          --text sentences.txt --text-share 0.2 --output run
        captioner train --captions train.json --features clip.safetensors \\
          --features-name "CLIP ViT-B/32" --validation-share 0.1 --output run
        captioner train --resume --output run
        captioner train --config run/config.json --seed 2 --output run2
        captioner train --preset top-down --captions train.json --images photos \\
          --validation-share 0.1 --encoder vgg16.safetensors --output run
        mpirun -np 4 captioner train --threads 8 --captions train.json --images photos \\
          --validation-share 0.1 --output run
      """)

  @Option(help: ArgumentHelp("Folder for everything the run writes.", valueName: "folder")) var output: String
  @Option(help: ArgumentHelp("JSON file of options, as a run's config.json.", valueName: "file"))
  var config: String?
  @Option(
    help: ArgumentHelp(
      "Decoder of the literature: \(TrainingPreset.all.map(\.name).joined(separator: ", ")). What it sets is printed.",
      valueName: "name"))
  var preset: String?
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
    try Processes.share { group in
      if format != nil && !check {
        throw UsageError(description: "--format: has an effect only with --check")
      }
      let configuration = try resolvedConfiguration(isTold: group.isFirst)
      if let problem = configuration.problem ?? configuration.withEncoder.missing {
        throw UsageError(description: problem)
      }
      if check {
        guard group.isFirst else { return }
        let report = try checkedData(configuration)
        try Console.print(format == .json ? report.json() : report.text())
        if !report.usable { throw ExitCode(1) }
      } else {
        let run = try TrainingRun(configuration, folder: output, resume: resume, among: group)
        try train(run, among: group)
      }
    }
  }

  /// The defaults, then the options of a file, then those that were given.
  /// - Parameter isTold: whether a preset's options are printed.
  private func resolvedConfiguration(isTold: Bool) throws -> TrainingConfiguration {
    var configuration = TrainingConfiguration()
    if let config {
      configuration = try TrainingConfiguration(contentsOf: config)
    } else if resume {
      guard let saved = try TrainingRun.configuration(in: output) else {
        throw TrainingError.nothingToResume(path: output)
      }
      configuration = saved
    }
    if let preset { try apply(preset, to: &configuration, isTold: isTold) }
    try options.apply(to: &configuration)
    // The embedded model's convolutions do, and where another install has them they are found there.
    let name = configuration.encoder.split(separator: "/").last
    let isGone = resume && !FileManager.default.fileExists(atPath: configuration.encoder)
    guard configuration.features.isEmpty else { return configuration }
    if configuration.encoder.isEmpty && ["", "none"].contains(configuration.start)
      || isGone && name == "captioner.safetensors"
    {
      configuration.encoder = (try? ModelOption.standard()) ?? configuration.encoder
    }
    return configuration
  }

  private func apply(
    _ name: String, to configuration: inout TrainingConfiguration, isTold: Bool
  ) throws {
    guard let preset = TrainingPreset(named: name) else {
      throw UsageError(
        description:
          "--preset: expected \(TrainingPreset.all.map(\.name).joined(separator: ", ")), found \(name)")
    }
    if resume { throw UsageError(description: "--preset: a run that goes on keeps its decoder") }
    preset.apply(to: &configuration)
    if isTold { Console.note("\(preset.name) (\(preset.source)): \(preset.text)") }
  }

  private func checkedData(_ configuration: TrainingConfiguration) throws -> DataCheckReport {
    var progress: ProgressLine?
    var total = 0
    let report = try DataCheckReport(configuration, folder: output) { done, all in
      if progress == nil { progress = ProgressLine("images", total: all, unit: "images") }
      progress?.update(done)
      total = all
      if done == all {
        progress?.finish(total)
        progress = nil
      }
    }
    return report
  }

  private func train(_ run: TrainingRun, among group: any ProcessGroup) throws {
    guard group.isFirst else { return try follow(run) }
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
    if group.isShared {
      Console.note(
        String(
          format:
            "%d processes: the first sent %.1f MB to the others, and spent %.1f s on that and on waiting",
          group.size, Double(group.traffic.bytesSent) / 1e6, group.traffic.seconds))
    }
    // As in every batch, what can't be read costs itself alone and the status tells.
    if !finished { throw ExitCode(1) }
  }

  /// Takes part in a run that the first process tells of.
  private func follow(_ run: TrainingRun) throws {
    _ = try run.run(
      shouldStop: { Interruption.requested },
      report: { event in
        if case .opened = event { Interruption.watch() }
      })
  }
}
