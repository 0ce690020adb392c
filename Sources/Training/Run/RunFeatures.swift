internal import Datasets
internal import Support

/// What a run has of its images: maps that its own convolutions make (`RunMaps`), or features that are given
/// (`RunGivenFeatures`).
protocol RunFeatures: AnyObject {
  /// Images that can't be read.
  var unreadable: Set<ExactName> { get }
  /// Makes sure that a run goes on with what it was begun with.
  /// - Throws: `TrainingError.otherRun`.
  func check(_ begun: RunState, _ configuration: TrainingConfiguration, at path: String) throws
  /// What training learns from of some images.
  func features(of photos: PhotoList) throws -> any PhotoFeatures
  /// What validation sees of some images: they as they are.
  func plainFeatures(of photos: PhotoList) throws -> any PhotoFeatures
}
