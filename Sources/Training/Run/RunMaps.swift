internal import Models
internal import Datasets
internal import Foundation
internal import Imaging
internal import Support
internal import Synchronization

/// The maps of a run's images: computed where they are missing, kept in files of the run's folder. Photos that are to be
/// changed at every step are kept themselves. Several processes share the work, and the first puts what
/// they made together.
final class RunMaps: RunFeatures {
  private let configuration: TrainingConfiguration
  private let network: RunNetwork
  private let folder: String
  private let encoder: VGGEncoder
  /// Names the convolutions, and how pixels become their input.
  let fingerprint: String
  private let group: any ProcessGroup
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
    among group: any ProcessGroup = OneProcess(), shouldStop: @escaping () -> Bool,
    report: @escaping (TrainingRun.Event) -> Void
  ) throws {
    self.configuration = configuration
    self.network = network
    self.folder = folder
    self.group = group
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

  /// Photos that are decoded, no finer than the network needs; by the first of several processes.
  private func reduced(_ photos: PhotoList) throws -> ReducedPhotoCache {
    let pixels = AugmentedPhotos.pixels(for: encoder.preprocessing)
    let key = "photos of \(pixels) pixels, \(encoder.reader.decoding.rawValue)"
    if !group.isFirst { try group.meet() }
    let cache = try ReducedPhotoCache(
      path: path("photos", key, photos), key: key, names: photos.names, files: photos.files, pixels: pixels,
      isFilledElsewhere: !group.isFirst)
    guard group.isFirst else { return cache }
    for warning in cache.warnings { report(.warning(warning)) }
    try fill("photos of \(photos.name)", photos, pending: cache.pending.count) { progress, failed in
      try cache.fill(reader: encoder.reader, progress: progress, failed: failed)
    }
    try group.meet()
    return cache
  }

  /// The maps of a view of some images.
  /// - Throws: `TrainingError.interrupted`, `.noImages`; the errors of files.
  func cache(of photos: PhotoList, view: Augmentation) throws -> MapCache {
    let key = view.name.isEmpty ? fingerprint : fingerprint + " " + view.name
    let (path, names) = place(key, photos)
    if let cache = open[path] { return cache }
    func opened() throws -> MapCache {
      try MapCache(
        path: path, key: key, names: names, files: photos.files, width: network.featureWidth,
        type: network.featureType, isFilledElsewhere: !group.isFirst)
    }
    let name = "features of \(photos.name)" + (view.name.isEmpty ? "" : ", " + view.name)
    let whole = group.isFirst ? try opened() : nil
    if let whole {
      for warning in whole.warnings { report(.warning(warning)) }
      if photos.isBesideCaptions { try copyWhatIsThere(of: photos, into: whole) }
    }
    if group.isShared {
      try fillTogether(whole, name, photos, view, path: path, key: key)
    } else if let whole {
      try fill(name, photos, pending: whole.pending.count) { progress, failed in
        try encoder.fill(
          whole, paths: photos.files, view: view, tap: network.tap, progress: progress, failed: failed)
      }
    }
    let cache = try whole ?? opened()
    open[path] = cache
    return cache
  }

  /// Computes what is missing of some photos with the other processes: each its part, into a file of its own beside the
  /// whole, which the first then takes it into. (Not into the whole at once: file systems that several machines share may
  /// write more than they are told.) Parts that a run which was stopped has left are gone on from.
  /// - Parameter whole: what is there; nil at other ranks than 0, which tells them.
  private func fillTogether(
    _ whole: MapCache?, _ name: String, _ photos: PhotoList, _ view: Augmentation, path: String, key: String
  ) throws {
    let pending = try group.broadcast((whole?.pending ?? []).map(Double.init)).map { Int($0) }
    guard !pending.isEmpty else { return }
    let parts = (0..<group.size).map { Array(pending[group.part(of: pending.count, $0)]) }
    func part(_ rank: Int) throws -> MapCache {
      let (path, rows) = ("\(path).rank-\(rank)", parts[rank])
      func opened() throws -> MapCache {
        try MapCache(
          path: path, key: key, names: rows.map { photos.names[$0] }, files: rows.map { photos.files[$0] },
          width: network.featureWidth, type: network.featureType, isFilledElsewhere: rank != group.rank)
      }
      do { return try opened() } catch MapCacheError.otherRows {
        unlink(path)
        return try opened()
      }
    }
    let own = parts[group.rank]
    let failures =
      own.isEmpty ? [] : try fillPart(part(group.rank), name, photos, view, rows: own, of: pending.count)
    let told = try group.gathered(Array(canonicalJSON(failures).utf8))
    let all = try told.flatMap { try JSONDecoder().decode([Failure].self, from: Data($0)) }
    if let whole {
      for (rank, rows) in parts.enumerated() where !rows.isEmpty {
        try take(part(rank), rows, into: whole)
        unlink("\(path).rank-\(rank)")
      }
      report(.features(name: name, done: pending.count, total: pending.count))
      tell(all)
    }
    unreadable.formUnion(all.map { ExactName($0.path) })
    if all.count == photos.files.count { throw TrainingError.noImages(name: photos.name) }
    try group.meet()
  }

  /// A photo that can't be read.
  private struct Failure: Codable {
    let path, message: String
  }

  /// Computes a part, which is closed then.
  /// - Returns: what can't be read.
  private func fillPart(
    _ part: MapCache, _ name: String, _ photos: PhotoList, _ view: Augmentation, rows: [Int], of total: Int
  ) throws -> [Failure] {
    var failures: [Failure] = []
    let before = rows.count - part.pending.count
    try encoder.fill(
      part, paths: rows.map { photos.files[$0] }, view: view, numbers: rows, tap: network.tap
    ) { done in
      // As far as this one is, so are the others.
      let all = min(total - 1, (before + done) * group.size)
      report(.features(name: name, done: all, total: total))
      if shouldStop() { throw TrainingError.interrupted(path: folder) }
    } failed: {
      failures.append(Failure(path: $0, message: $1))
    }
    return failures
  }

  /// Copies the rows of a part.
  private func take(_ part: MapCache, _ rows: [Int], into whole: MapCache) throws(MapCacheError) {
    var features = [Float](repeating: 0, count: whole.width)
    for (place, row) in rows.enumerated() {
      guard part.status(of: place) == .done else {
        whole.markFailed(row: row)
        continue
      }
      features.withUnsafeMutableBufferPointer { buffer in
        if let base = buffer.baseAddress { part.read(place, into: base) }
      }
      try whole.store(features, row: row)
    }
    try whole.flush()
  }

  /// Tells of the first photos that can't be read.
  private func tell(_ failures: [Failure]) {
    for failure in failures.prefix(5) { report(.warning(failure.message)) }
    if failures.count > 5 { report(.warning("\(failures.count - 5) more images can't be read")) }
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
    if pending == 0 { return }
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
