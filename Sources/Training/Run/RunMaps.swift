internal import Models
internal import Datasets
internal import Imaging
internal import Support

/// The maps of a run's images: computed where they are missing, kept in files of the run's folder.
final class RunMaps {
  private let network: RunNetwork
  private let folder: String
  private let encoder: VGGEncoder
  private let fingerprint: String
  private let shouldStop: () -> Bool
  private let report: (TrainingRun.Event) -> Void
  /// Images that can't be read, whatever the view.
  private(set) var unreadable: Set<ExactName> = []
  /// By path: training and validation may be the same images, and then share a file.
  private var open: [String: MapCache] = [:]

  init(
    _ network: RunNetwork, _ source: EncoderSource, _ decoding: PhotoDecoding, folder: String,
    shouldStop: @escaping () -> Bool, report: @escaping (TrainingRun.Event) -> Void
  ) throws {
    self.network = network
    self.folder = folder
    self.shouldStop = shouldStop
    self.report = report
    encoder = try VGGEncoder(
      network.frozen, preprocessing: source.preprocessing, weights: source.file, prefix: source.prefix,
      caching: .resident)
    encoder.reader.decoding = decoding
    fingerprint = try encoder.fingerprint(network.tap)
  }

  /// The maps of a view of a split's images.
  /// - Throws: `TrainingError.interrupted`, `.noImages`; the errors of files.
  func cache(of split: TrainingSplit, view: Augmentation) throws -> MapCache {
    let key = view.name.isEmpty ? fingerprint : fingerprint + " " + view.name
    let path = path(key, split)
    if let cache = open[path] { return cache }
    let cache = try MapCache(
      path: path, key: key, names: split.files, files: split.files, width: network.featureWidth,
      type: network.featureType)
    for warning in cache.warnings { report(.warning(warning)) }
    try fill(cache, split, view)
    open[path] = cache
    return cache
  }

  /// Features of other encoders and other images lie beside each other.
  private func path(_ key: String, _ split: TrainingSplit) -> String {
    var name = Fingerprint()
    name.add(bytes: ([key] + split.files).joined(separator: "\n").utf8)
    return "\(folder)/features-\(name.text).safetensors"
  }

  private func fill(_ cache: MapCache, _ split: TrainingSplit, _ view: Augmentation) throws {
    let pending = cache.pending.count
    if pending == 0 { return }
    let name = "features of \(split.name)" + (view.name.isEmpty ? "" : ", " + view.name)
    report(.features(name: name, done: 0, total: pending))
    var failures = 0
    try encoder.fill(cache, paths: split.files, view: view, tap: network.tap) { done in
      // The last is reported when all is written.
      if done < pending { report(.features(name: name, done: done, total: pending)) }
      if shouldStop() { throw TrainingError.interrupted(path: folder) }
    } failed: { path, message in
      unreadable.insert(ExactName(path))
      failures += 1
      if failures <= 5 { report(.warning(message)) }
    }
    report(.features(name: name, done: pending, total: pending))
    if failures > 5 { report(.warning("\(failures - 5) more images can't be read")) }
    if failures == split.files.count { throw TrainingError.noImages(name: split.name) }
  }
}
