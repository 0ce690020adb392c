import ArgumentParser
import Datasets
import Foundation
import LanguageModels
import Support
import Training

/// `captioner doctor`: what is wrong with a data set or a model.
struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor", abstract: "Says what is wrong with a data set, a model or a run, and what to do.",
    discussion: """
      Reads every image and caption of a data set (--captions, --images), and every
      number of models, weights, feature files and folders of runs (PATH). Nothing
      is changed. Each thing that is wrong is named with its place and what helps;
      notes are only worth knowing.

      Of a data set: images that are missing, damaged, huge, there twice, or in
      training and validation; captions that are broken, empty, all the same or very
      long; words that become <unk>; names that differ only in Unicode
      normalisation. Of a model, of photos or of text alone: tensors that are
      missing, of another shape, or no numbers; metadata that make no sense; files
      that are something else.

      --skip-list writes the images to leave out, a name a line, bytes as they are:
      missing and damaged ones, and later copies. train, evaluate and features take
      it as --skip.

      --format json prints an object a line: kind, severity (problem or note),
      place, problem, remedy, and image, its path, where leaving it out helps.

      Exit status: 0 nothing is wrong (but for notes), 1 something is, 64 usage.

      Examples:
        captioner doctor --captions captions.json --images photos
        captioner doctor --captions captions.json --images photos \\
          --skip-list skip.txt
        captioner train --captions captions.json --images photos --skip skip.txt \\
          --validation-share 0.1 --encoder vgg16.safetensors --output run
        captioner doctor model.safetensors && echo good
        captioner doctor run --format json | jq -r .place
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }

  @Argument(help: ArgumentHelp("Models, weights, feature files, folders of runs.", valueName: "path"))
  var paths: [String] = []
  @Option(help: ArgumentHelp("Captions, in any format that train takes; may be repeated.", valueName: "file"))
  var captions: [String] = []
  @Option(
    help: ArgumentHelp(
      "Folder of their images: one for each --captions, or one for all.", valueName: "folder"))
  var images: [String] = []
  @Option(help: ArgumentHelp("Split of files that have some, as in train.", valueName: "name"))
  var split: String?
  @Option(
    help: ArgumentHelp(
      "Captions to validate on; the val split of --captions, if there is one, unless given.",
      valueName: "file"))
  var validationCaptions: [String] = []
  @Option(help: ArgumentHelp("Folder of their images; --images unless given.", valueName: "folder"))
  var validationImages: [String] = []
  @Option(help: ArgumentHelp("Split to validate on of files that have some.", valueName: "name"))
  var validationSplit: String?
  @Option(
    help: ArgumentHelp("Share of the images to validate on, as in train with --seed 1.", valueName: "share"))
  var validationShare: Double?
  @Option(help: ArgumentHelp("Words seen less often become <unk> (default: 5).", valueName: "times"))
  var minCount: Int?
  @Option(help: ArgumentHelp("List of images to leave out; may be repeated.", valueName: "file"))
  var skip: [String] = []
  @Option(help: ArgumentHelp("Where to write the images to leave out, a name a line.", valueName: "file"))
  var skipList: String?
  @Option(help: "text or json (one object a line).") var format = Format.text
  @OptionGroup var engine: EngineOptions

  func validate() throws {
    guard !captions.isEmpty || !paths.isEmpty else {
      throw ValidationError("expected --captions and --images, or the path of a model, found neither")
    }
    if captions.isEmpty {
      let given = [
        ("--images", !images.isEmpty), ("--split", split != nil),
        ("--validation-captions", !validationCaptions.isEmpty),
        ("--validation-images", !validationImages.isEmpty), ("--validation-split", validationSplit != nil),
        ("--validation-share", validationShare != nil), ("--min-count", minCount != nil),
        ("--skip", !skip.isEmpty), ("--skip-list", skipList != nil),
      ]
      if let idle = given.first(where: \.1) {
        throw ValidationError("\(idle.0): has an effect only with --captions")
      }
      return
    }
    guard images.count == 1 || images.count == captions.count else {
      throw ValidationError("\(DatasetError.folders(captions: captions.count, folders: images.count))")
    }
    if validationShare != nil, !validationCaptions.isEmpty || validationSplit != nil {
      throw ValidationError(
        "--validation-share: has an effect only without --validation-captions and --validation-split")
    }
    if let problem = data.problem { throw ValidationError(problem) }
  }

  func run() throws {
    engine.apply()
    try reportingErrors {
      var outputs = Outputs(readingFrom: paths + captions + validationCaptions + skip)
      if let skipList { try outputs.add(skipList, "--skip-list") }
      var diagnosis = Diagnosis()
      func add(_ other: Diagnosis) {
        diagnosis.findings += other.findings
        diagnosis.summary += other.summary
      }
      if !captions.isEmpty { add(showingProgress { Diagnosis(dataOf: data, progress: $0) }) }
      for path in paths { add(showingProgress { diagnosis(of: path, $0) }) }
      let printed = Result { try withoutBrokenPipes { try show(diagnosis) } }
      if let skipList { try write(diagnosis, to: skipList) }
      try printed.get()
      if !diagnosis.isWell { throw ExitCode(1) }
    }
  }

  private func diagnosis(of path: String, _ progress: Diagnosis.Progress) -> Diagnosis {
    Diagnosis(ofLanguageModelAt: path, progress: progress) ?? Diagnosis(ofFileAt: path, progress: progress)
  }

  /// The data as options of a run.
  private var data: TrainingConfiguration {
    var configuration = TrainingConfiguration()
    configuration.captions = captions
    configuration.images = images
    configuration.validationCaptions = validationCaptions
    configuration.validationImages = validationImages
    configuration.skip = skip
    if let split { configuration.split = split }
    if let validationSplit { configuration.validationSplit = validationSplit }
    if let validationShare { configuration.validationShare = validationShare }
    if let minCount { configuration.minimumCount = minCount }
    return configuration
  }

  private func showingProgress(_ body: (Diagnosis.Progress) -> Diagnosis) -> Diagnosis {
    var progress: (title: String, line: ProgressLine)?
    return body { title, done, total in
      if progress?.title != title { progress = (title, ProgressLine(title, total: total, unit: title)) }
      progress?.line.update(done)
      if done == total {
        progress?.line.finish(total)
        progress = nil
      }
    }
  }

  private func show(_ diagnosis: Diagnosis) throws {
    guard format == .text else {
      for finding in diagnosis.findings { try Console.print(Console.json(finding)) }
      return
    }
    try Console.print(diagnosis.text)
  }

  /// Writes the images that are better left out: by their names in the folder of images, or, where there are several
  /// such folders, by their paths.
  private func write(_ diagnosis: Diagnosis, to path: String) throws {
    let folders = Set((images + validationImages).map(ExactName.init))
    let prefix = images[0].hasSuffix("/") ? images[0] : images[0] + "/"
    let names = diagnosis.findings.compactMap(\.image).map { image in
      folders.count == 1 && image.hasPrefix(prefix) ? String(image.dropFirst(prefix.count)) : image
    }
    for name in try SkipList.write(names, to: path) {
      Console.complain("\(path): \(name): a name with a line feed fits in no list of lines; rename the file")
    }
  }
}

extension Diagnosis {
  /// Findings of a kind that are shown.
  private static let shown = 5

  /// For people: what there is, then all of a kind together.
  var text: String {
    var lines = summary.map(Console.oneLine)
    var groups: [(title: String, remedy: String, findings: [Finding])] = []
    var places: [String: Int] = [:]
    for finding in findings {
      let key = finding.kind.name + "\n" + finding.remedy
      if let place = places[key] {
        groups[place].findings.append(finding)
      } else {
        places[key] = groups.count
        let title = finding.kind.isNote ? "note: \(finding.kind.title)" : finding.kind.title
        groups.append((title, finding.remedy, [finding]))
      }
    }
    for group in groups {
      if !lines.isEmpty { lines.append("") }
      lines.append("\(group.title): \(group.findings.count)")
      lines += group.findings.prefix(Self.shown).map { "  " + Console.oneLine("\($0.place): \($0.problem)") }
      if group.findings.count > Self.shown {
        lines.append("  … and \(group.findings.count - Self.shown) more; --format json has all")
      }
      lines.append("  what helps: " + Console.oneLine(group.remedy))
    }
    let problems = findings.count { !$0.kind.isNote }
    if !groups.isEmpty { lines.append("") }
    lines.append(
      problems == 0 ? "nothing is wrong" : "\(problems) \(problems == 1 ? "thing is" : "things are") wrong")
    return lines.joined(separator: "\n")
  }
}
