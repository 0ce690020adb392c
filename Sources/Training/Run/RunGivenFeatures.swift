internal import Datasets
internal import Support

/// The features of a run's images, from files that another program wrote.
final class RunGivenFeatures: RunFeatures {
  let unreadable: Set<ExactName> = []
  private let files: FeatureFiles
  private let folder: String
  private let shouldStop: () -> Bool
  private let report: (TrainingRun.Event) -> Void
  private var selected: [SelectedFeatures] = []

  init(
    _ files: FeatureFiles, folder: String, shouldStop: @escaping () -> Bool,
    report: @escaping (TrainingRun.Event) -> Void
  ) {
    self.files = files
    self.folder = folder
    self.shouldStop = shouldStop
    self.report = report
  }

  /// What is wrong with the features since they were looked up; nil: nothing.
  var error: FeatureFileError? { selected.lazy.compactMap(\.error).first }

  /// The checkpoint names the numbers themselves, and the trainer compares them.
  func check(_ begun: RunState, _ configuration: TrainingConfiguration, at path: String) {}

  /// Looks the images up.
  /// - Throws: `FeatureFileError`; `TrainingError.interrupted`.
  func features(of photos: PhotoList) throws -> any PhotoFeatures {
    let (name, total) = ("features of \(photos.name)", photos.files.count)
    let found = try SelectedFeatures(photos.images, in: files) { done in
      if done < total { report(.features(name: name, done: done, total: total)) }
      if shouldStop() { throw TrainingError.interrupted(path: folder) }
    }
    report(.features(name: name, done: total, total: total))
    selected.append(found)
    return GivenPhotos(photos, found)
  }

  func plainFeatures(of photos: PhotoList) throws -> any PhotoFeatures { try features(of: photos) }
}
