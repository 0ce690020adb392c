internal import Models
internal import Datasets
internal import Foundation
internal import Imaging
internal import Support
internal import Synchronization

/// The maps of a run's images: computed where they are missing, kept in files of the run's folder. Photos that are to be
/// changed at every step are kept themselves. Of several processes the first computes them, and the others read them.
final class RunMaps: RunFeatures {
  private let configuration: TrainingConfiguration
  private let network: RunNetwork
  private let folder: String
  private let encoder: VGGEncoder
  /// Names the convolutions, and how pixels become their input.
  let fingerprint: String
  private let isFirst: Bool
  private let shouldStop: () -> Bool
  private let report: (TrainingRun.Event) -> Void
  /// What is odd about photos, from the threads that read them.
  private let warnings = Warnings()
  /// Images that can't be read, whatever the view.
  private(set) var unreadable: Set<ExactName> = []
  /// What was reported: every view finds the same.
  private var reported: Set<String> = []
  /// By path: training and validation may be the same images, and then share a file.
  private var open: [String: MapCache] = [:]

  init(
    _ configuration: TrainingConfiguration, _ network: RunNetwork, _ source: EncoderSource, folder: String,
    isFirst: Bool = true, shouldStop: @escaping () -> Bool, report: @escaping (TrainingRun.Event) -> Void
  ) throws {
    self.configuration = configuration
    self.network = network
    self.folder = folder
    self.isFirst = isFirst
    self.shouldStop = shouldStop
    self.report = report
    encoder = try VGGEncoder(
      network.frozen, preprocessing: source.preprocessing, weights: source.file, prefix: source.prefix,
      caching: .resident)
    encoder.reader = configuration.imageReader { [warnings] in warnings.add($0) }
    fingerprint = try encoder.fingerprint(network.tap)
  }

  /// What training learns from of some images.
  /// - Throws: as `cache`.
  func features(of photos: PhotoList) throws -> any PhotoFeatures {
    // A teacher has seen a photo as it is.
    if let augmentation = configuration.randomAugmentation, photos.role != PhotoList.teacher {
      return try AugmentedPhotos(
        reduced(photos), through: encoder, network.tap, key: fingerprint, augmentation)
    }
    let views = try configuration.cachedViews.map { try cache(of: photos, view: $0) }
    return CachedPhotos(features: views[0], views: Array(views.dropFirst()))
  }

  /// The photos themselves, without other views.
  /// - Throws: as `cache`.
  func plainFeatures(of photos: PhotoList) throws -> any PhotoFeatures {
    CachedPhotos(features: try cache(of: photos, view: Augmentation(0)))
  }

  /// Photos that are decoded, no finer than the network needs.
  private func reduced(_ photos: PhotoList) throws -> ReducedPhotoCache {
    let pixels = AugmentedPhotos.pixels(for: encoder.preprocessing)
    let key = "photos of \(pixels) pixels, \(encoder.reader.decoding.rawValue)"
    let cache = try ReducedPhotoCache(
      path: path("photos", key, photos), key: key, names: photos.names, files: photos.files, pixels: pixels,
      isFilledElsewhere: !isFirst)
    for warning in cache.warnings { report(.warning(warning)) }
    try fill("photos of \(photos.name)", photos, pending: cache.pending.count) { progress, failed in
      try cache.fill(reader: encoder.reader, progress: progress, failed: failed)
    }
    return cache
  }

  /// The maps of a view of some images.
  /// - Throws: `TrainingError.interrupted`, `.noImages`; the errors of files.
  func cache(of photos: PhotoList, view: Augmentation) throws -> MapCache {
    let key = view.name.isEmpty ? fingerprint : fingerprint + " " + view.name
    let (path, names) = place(key, photos)
    if let cache = open[path] { return cache }
    let cache = try MapCache(
      path: path, key: key, names: names, files: photos.files, width: network.featureWidth,
      type: network.featureType, isFilledElsewhere: !isFirst)
    for warning in cache.warnings { report(.warning(warning)) }
    if isFirst && photos.isBesideCaptions { try copyWhatIsThere(of: photos, into: cache) }
    let name = "features of \(photos.name)" + (view.name.isEmpty ? "" : ", " + view.name)
    try fill(name, photos, pending: cache.pending.count) { progress, failed in
      try encoder.fill(
        cache, paths: photos.files, view: view, tap: network.tap, progress: progress, failed: failed)
    }
    open[path] = cache
    return cache
  }

  /// Takes what other lists of the run have of the same photos. (Not for captioned ones, whose features are computed
  /// together: among others they may be rounded otherwise.)
  private func copyWhatIsThere(of photos: PhotoList, into cache: MapCache) throws(MapCacheError) {
    var features = [Float](repeating: 0, count: cache.width)
    for path in open.keys.sorted() {
      guard let other = open[path], other.key == cache.key, let files = other.files else { continue }
      var rows: [ExactName: Int] = [:]
      for (row, file) in files.enumerated() where other.status(of: row) == .done {
        rows[ExactName(file)] = row
      }
      for row in cache.pending {
        guard let source = rows[ExactName(photos.files[row])] else { continue }
        features.withUnsafeMutableBufferPointer { buffer in
          if let base = buffer.baseAddress { other.read(source, into: base) }
        }
        try cache.store(features, row: row)
      }
    }
    try cache.flush()
  }

  /// The file of some features, and what it calls the images. Features of other encoders and other images lie beside
  /// each other; where the images are is of no account.
  private func place(_ key: String, _ photos: PhotoList) -> (path: String, names: [String]) {
    let path = path("features", key, photos)
    if access(path, F_OK) == 0 { return (path, photos.names) }
    return earlier(key, photos) ?? (path, photos.names)
  }

  private func path(_ kind: String, _ key: String, _ photos: PhotoList) -> String {
    var name = Fingerprint()
    name.add(bytes: ([key, photos.role] + photos.names).joined(separator: "\n").utf8)
    return "\(folder)/\(kind)-\(name.text).safetensors"
  }

  /// The same of a run of an earlier version, which called images by their paths. Where several may be meant by now, none
  /// is.
  private func earlier(_ key: String, _ photos: PhotoList) -> (path: String, names: [String])? {
    let alike = kept.filter { $0.key == key && $0.names.count == photos.files.count }
    func only(_ isSame: (_ name: String, _ row: Int) -> Bool) -> (path: String, names: [String])? {
      let found = alike.filter { kept in kept.names.indices.allSatisfy { isSame(kept.names[$0], $0) } }
      return found.count == 1 ? (found[0].path, found[0].names) : nil
    }
    return only { ExactName($0) == ExactName(photos.files[$1]) }
      ?? only { name, row in
        let end = ("/" + photos.fileNames[row]).utf8
        // A number before it is no folder: a list of several folders, as this version names them.
        return name.utf8.reversed().starts(with: end.reversed())
          && !name.utf8.dropLast(end.count).allSatisfy { 0x30...0x39 ~= $0 }
      }
  }

  /// The files of features in the run's folder.
  private lazy var kept: [(path: String, key: String, names: [String])] = {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return files.filter { $0.hasPrefix("features-") && $0.hasSuffix(".safetensors") }.sorted().compactMap {
      let path = folder + "/" + $0
      return MapCache.contents(of: path).map { (path, $0.key, $0.names) }
    }
  }()

  /// Makes sure that a run goes on with the encoder that it was begun with. Earlier versions kept its path alone, and
  /// features that say what made them.
  /// - Throws: `TrainingError.otherRun`.
  func check(_ begun: RunState, _ configuration: TrainingConfiguration, at path: String) throws {
    let isSame =
      begun.encoder.map { $0 == fingerprint }
      ?? (kept.contains { $0.key.hasPrefix(fingerprint) }
        || configuration.encoder == begun.configuration.encoder)
    guard !isSame else { return }
    let changes = configuration.changes(from: begun.configuration) { $0 == .byContent }
      .filter { $0.hasPrefix("encoder:") || $0.hasPrefix("preprocessing:") }
    throw TrainingError.otherRun(
      path: path, differences: ["other convolutions, or another way from pixels to their input"] + changes)
  }

  /// Computes what is missing of some photos, and tells how far that is.
  /// - Parameter compute: does it, and tells of rows that are done and photos that can't be read.
  private func fill(
    _ name: String, _ photos: PhotoList, pending: Int,
    _ compute: ((Int) throws -> Void, (String, String) -> Void) throws -> Void
  ) throws {
    if pending == 0 || !isFirst { return }
    report(.features(name: name, done: 0, total: pending))
    var failures = 0
    func progress(_ done: Int) throws {
      for warning in warnings.taken() where reported.insert(warning).inserted { report(.warning(warning)) }
      // The last is reported when all is written.
      if done < pending { report(.features(name: name, done: done, total: pending)) }
      if shouldStop() { throw TrainingError.interrupted(path: folder) }
    }
    func failed(_ path: String, _ message: String) {
      unreadable.insert(ExactName(path))
      failures += 1
      if failures <= 5 { report(.warning(message)) }
    }
    try compute(progress, failed)
    report(.features(name: name, done: pending, total: pending))
    if failures > 5 { report(.warning("\(failures - 5) more images can't be read")) }
    if failures == photos.files.count { throw TrainingError.noImages(name: photos.name) }
  }
}

/// Lines that several threads gather.
private final class Warnings: Sendable {
  private let lines = Mutex<[String]>([])

  func add(_ line: String) { lines.withLock { $0.append(line) } }

  /// What there is; from now on they are gone.
  func taken() -> [String] {
    lines.withLock { lines in
      defer { lines = [] }
      return lines
    }
  }
}
