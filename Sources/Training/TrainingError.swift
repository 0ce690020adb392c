/// Why a run can't begin, go on or continue.
public enum TrainingError: Error, Equatable, CustomStringConvertible {
  /// An option is out of range, or there is nothing to train on.
  case configuration(String)
  /// The folder holds a run already.
  case alreadyThere(path: String)
  /// Another process is training in the folder.
  case busy(path: String)
  /// The folder can't be made.
  case folder(path: String, reason: String)
  /// Files without a single caption.
  case noCaptions(paths: [String])
  /// None of a split's images can be read.
  case noImages(name: String)
  /// There is no run to resume.
  case nothingToResume(path: String)
  /// The run was begun with other options or data.
  case otherRun(path: String, differences: [String])
  /// One of several processes that share a run sees it otherwise than the first.
  case ranksDiffer(rank: Int, differences: String)
  /// The loss or its gradient is no longer a number; the last checkpoint is untouched.
  case diverged(step: Int, what: String)
  /// A signal asked for the end; the checkpoint holds everything.
  case interrupted(path: String)

  private func model(beside path: String) -> String {
    path.hasSuffix("checkpoint.safetensors")
      ? path.dropLast("checkpoint.safetensors".count) + "model.safetensors" : "MODEL"
  }

  /// One line for people.
  public var description: String {
    switch self {
    case .configuration(let problem): problem
    case .alreadyThere(let path):
      "\(path): expected no run here, found a checkpoint; continue it with --resume or choose another --output"
    case .busy(let path): "\(path): another process is training here"
    case .folder(let path, let reason): "\(path): can't make the folder: \(reason)"
    case .noCaptions(let paths): "\(paths.joined(separator: ", ")): expected captions, found none"
    case .noImages(let name): "\(name): expected images, found none that can be read"
    case .nothingToResume(let path): "\(path): expected a checkpoint to resume, found none"
    case .otherRun(let path, let differences):
      "\(path): expected what may not change in a run that has begun, found others: "
        + differences.joined(separator: "; ")
        + "; another run can begin from this one's model: --start \(model(beside: path)) --output OTHER"
    case .ranksDiffer(let rank, let differences):
      "rank \(rank): expected the options and files of rank 0, found \(differences)"
    case .diverged(let step, let what):
      "step \(step): \(what) is not finite; the last checkpoint is untouched, a lower --learning-rate may help"
    case .interrupted(let path): "interrupted; continue with --resume (\(path))"
    }
  }
}
