internal import Datasets
internal import Foundation
internal import Models
public import Support
internal import Tensors

extension Finding.Kind {
  private static let beginAgain = "begin the run again, in another folder"

  static let imageFolder = Self(
    "image_folder", "folders of images that can't be read", remedy: "name the folder with --images")
  static let noCaptions = Self(
    "no_captions", "nothing to learn from", remedy: "name other files or another --split")
  static let idleSkip = Self(
    "idle_skip", "names to be left out that are those of no image",
    remedy: "correct the list, or make it again with --skip-list", isNote: true)
  /// A file of a run that makes no sense.
  public static let runFile = Self("run_file", "files of a run that can't be used", remedy: beginAgain)
  /// A file that a run reads and that is not there.
  public static let runInput = Self(
    "run_input", "files that a run reads and that are not there",
    remedy: "put them back before --resume", isNote: true)
}

/// What is wrong with a data set, a model, a file of features or the folder of a run, and what to do about each thing.
public struct Diagnosis: Sendable {
  /// What is wrong, in order of what it costs.
  public var findings: [Finding] = []
  /// What there is, a line each.
  public var summary: [String] = []

  /// How far a look at many things is: a title, how many are done, and of how many.
  public typealias Progress = (_ title: String, _ done: Int, _ total: Int) -> Void

  /// Whether nothing is wrong, but for notes.
  public var isWell: Bool { findings.allSatisfy(\.kind.isNote) }

  /// Nothing.
  public init() {}

  /// Of a training set, and a validation set if one is named or is in the same files, as a run with these options would
  /// take them. Every image is decoded.
  public init(dataOf configuration: TrainingConfiguration, progress: Progress = { _, _, _ in }) {
    let train: CaptionDataset
    var validation = CaptionDataset()
    do {
      train = try configuration.trainingDataset()
      do { validation = try configuration.validationDataset() } catch DatasetError.noValidationSplit {
        summary.append("validation: no images named; --validation-share 0.1 would take a tenth of these")
      }
    } catch {
      findings.append(Self.finding(.captionFile, "\(error)"))
      return
    }
    for dataset in [train, validation] {
      do { _ = try dataset.missingFiles() } catch {
        findings.append(Self.finding(.imageFolder, "\(error)"))
        return
      }
    }
    let check = DataCheck(
      train: train, validation: validation, minimumCount: configuration.minimumCount
    ) { progress("images", $0, $1) }
    if train.captionCount == 0 {
      findings.append(
        Finding(.noCaptions, at: configuration.captions.joined(separator: ", "), "no captions are left"))
    }
    summary.insert("training: \(check.train.summary)", at: 0)
    if !validation.images.isEmpty { summary.append("validation: \(check.validation.summary)") }
    summary.append("vocabulary: \(check.vocabularySize) words")
    findings += check.findings(train: train, validation: validation)
    let used = train.skipped.union(validation.skipped)
    for name in (try? configuration.skipList().names) ?? [] where !used.contains(ExactName(name)) {
      findings.append(
        Finding(.idleSkip, at: configuration.skip.joined(separator: ", "), "no image is called \(name)"))
    }
  }

  /// Of a model, weights, a checkpoint, a file of features, or the folder of a run.
  public init(ofFileAt path: String, progress: Progress = { _, _, _ in }) {
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
      diagnoseRun(path, progress)
    } else {
      diagnoseFile(path, progress)
    }
  }

  private mutating func diagnoseFile(_ path: String, _ progress: Progress) {
    let file: SafetensorsFile
    do {
      file =
        try EncoderSource.isForeign(path)
        ? ImportedEncoder(path: path).file(path: path) : SafetensorsFile(path: path)
    } catch {
      findings.append(Finding(.notSafetensors, at: path, line: "\(error)"))
      return
    }
    if file.metadata["format"] == Checkpoint.format {
      diagnoseCheckpoint(file, progress)
    } else if let kind = FeatureFileCheck.kind(of: file) {
      findings += FeatureFileCheck.findings(file) { progress("rows", $0, $1) }
      summary.append("\(path): \(kind)")
    } else {
      let check = ModelCheck(file) { progress("tensors", $0, $1) }
      findings += check.findings
      summary.append("\(path): \(check.summary)")
    }
  }

  private mutating func diagnoseCheckpoint(_ file: SafetensorsFile, _ progress: Progress) {
    summary.append("\(file.path): a run's checkpoint")
    do {
      let state = try Checkpoint.state(in: file)
      findLog(of: file.path, length: state.logLength)
    } catch {
      findings.append(Finding(.runFile, at: file.path, line: "\(error)"))
    }
    // What training began with may be zero: moments, biases.
    findings += ModelCheck.numbers(in: file) { progress("tensors", $0, $1) }.filter { $0.kind == .notFinite }
  }

  /// Whether the log beside a checkpoint is as long as it was when that was written.
  public mutating func findLog(of checkpoint: String, length: Int) {
    let log = FileName.split(checkpoint).folder + "log.jsonl"
    let size = (try? FileManager.default.attributesOfItem(atPath: log)[.size] as? Int) ?? 0
    if size < length {
      findings.append(Finding(.runFile, at: log, "expected at least \(length) bytes, found \(size)"))
    }
  }

  private mutating func diagnoseRun(_ folder: String, _ progress: Progress) {
    let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
    let isOurs = { (name: String) in
      ["model.safetensors", "checkpoint.safetensors"].contains(name)
        || name.hasSuffix(".safetensors") && (name.hasPrefix("features-") || name.hasPrefix("photos-"))
    }
    guard names.contains(where: { isOurs($0) || $0 == "config.json" }) else {
      findings.append(
        Finding(
          .notSafetensors, at: folder, "expected the folder of a run, found neither config.json nor a model",
          remedy: "name a run's --output; folders of photos come after --images, with --captions"))
      return
    }
    for name in names where isOurs(name) { diagnoseFile(folder + "/" + name, progress) }
    guard names.contains("config.json") else { return }
    do {
      let configuration = try TrainingConfiguration(contentsOf: folder + "/config.json")
      if let problem = configuration.missing ?? configuration.problem {
        findings.append(Finding(.runFile, at: folder + "/config.json", problem))
      }
      for path in configuration.inputs where !FileManager.default.fileExists(atPath: path) {
        findings.append(Finding(.runInput, at: path, "not there, as \(folder)/config.json has it"))
      }
    } catch {
      findings.append(Finding(.runFile, at: folder + "/config.json", line: "\(error)"))
    }
  }

  /// A finding of an error's line, whose place comes before the first colon.
  private static func finding(_ kind: Finding.Kind, _ line: String) -> Finding {
    let parts = line.components(separatedBy: ": ")
    return parts.count > 1
      ? Finding(kind, at: parts[0], parts[1...].joined(separator: ": ")) : Finding(kind, at: "options", line)
  }
}

extension TrainingConfiguration {
  /// The files and folders that a run reads.
  fileprivate var inputs: [String] {
    (sources.flatMap(\.paths) + [self.start]).filter { !$0.isEmpty }
  }
}
