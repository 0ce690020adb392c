internal import Foundation
internal import Layers
internal import Models
internal import Support
internal import Tensors
public import Training

extension Diagnosis {
  /// Of a language model, the checkpoint of its run, or the folder of one.
  /// - Returns: nil where the path is none of these.
  public init?(
    ofLanguageModelAt path: String, progress: Progress = { _, _, _ in }
  ) {
    self.init()
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { return nil }
    if isFolder.boolValue {
      guard diagnoseLanguageModelRun(path, progress) else { return nil }
    } else {
      guard let file = try? SafetensorsFile(path: path), diagnoseLanguageModelFile(file, progress) else {
        return nil
      }
    }
  }

  /// Whether the file is a language model's.
  private mutating func diagnoseLanguageModelFile(_ file: SafetensorsFile, _ progress: Progress) -> Bool {
    switch file.metadata["format"] {
    case LanguageModelDescription.format: diagnoseModel(file, progress)
    case LanguageModelState.format: diagnoseCheckpoint(file, progress)
    default: return false
    }
    return true
  }

  private mutating func diagnoseModel(_ file: SafetensorsFile, _ progress: Progress) {
    summary.append("\(file.path): a language model, \(file.entries.count) tensors")
    let numbers = ModelCheck.numbers(in: file) { progress("tensors", $0, $1) }
    findings += numbers
    // What is no number is named by its tensor already.
    guard numbers.isEmpty else { return }
    do { _ = try LanguageModel(contentsOf: file.path) } catch {
      findings.append(Finding(.languageModel, at: file.path, line: "\(error)"))
    }
  }

  private mutating func diagnoseCheckpoint(_ file: SafetensorsFile, _ progress: Progress) {
    summary.append("\(file.path): the checkpoint of a language model's run")
    do {
      let state = try LanguageModelState(of: file)
      findLog(of: file.path, length: state.logLength)
    } catch {
      findings.append(Finding(.runFile, at: file.path, line: "\(error)"))
    }
    // What training began with may be zero: moments, states.
    findings += ModelCheck.numbers(in: file) { progress("tensors", $0, $1) }.filter { $0.kind == .notFinite }
  }

  /// Whether the folder is that of a run of a language model.
  private mutating func diagnoseLanguageModelRun(_ folder: String, _ progress: Progress) -> Bool {
    let files = ["model.safetensors", "checkpoint.safetensors"].compactMap { name in
      try? SafetensorsFile(path: folder + "/" + name)
    }
    let found = Result { try LanguageModelRun.configuration(in: folder) }
    var isOurs = false
    for file in files where diagnoseLanguageModelFile(file, progress) { isOurs = true }
    switch found {
    case .success(let configuration?):
      if let problem = configuration.problem {
        findings.append(Finding(.runFile, at: folder + "/config.json", problem))
      }
      for path in configuration.text + configuration.validation
      where !FileManager.default.fileExists(atPath: path) {
        findings.append(Finding(.runInput, at: path, "not there, as \(folder)/config.json has it"))
      }
      return true
    case .success(nil): return isOurs
    case .failure(let error):
      if isOurs {
        findings.append(Finding(.runFile, at: folder + "/config.json", line: "\(error)"))
      }
      return isOurs
    }
  }
}

extension Finding.Kind {
  static let languageModel = Self(
    "language_model", "language models that can't be used",
    remedy: "get the file again from where it comes from; captioner inspect shows what it says")
}
