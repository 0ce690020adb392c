public import Models
public import Datasets
internal import Imaging
public import Tensors

/// The images of a data set that can be read, and their maps, computed or found in a file.
public struct MappedImages {
  /// The images, [N].
  public let images: [CaptionedImage]
  /// [N, mapSize].
  public let maps: Tensor

  /// Computes the maps of `images`.
  /// - Parameters:
  ///   - progress: called with the number of images done.
  ///   - failed: called with the reason of each image that can't be read.
  /// - Throws: `ModelError.notFinite`.
  public init(
    _ captioner: CaptionModel, _ images: [CaptionedImage], progress: (Int) -> Void = { _ in },
    failed: (String) -> Void
  ) throws {
    let files = images.map(\.path)
    let loader = ImageLoader(captioner.description.preprocessing, reader: captioner.encoder.reader)
    let batches = loader.batches(files, of: VGGEncoder.batchSize)
    var scalars: [Float] = []
    var found: [CaptionedImage] = []
    var done = 0
    for batch in batches {
      for failure in batch.failures { failed("\(failure.error)") }
      if !batch.indices.isEmpty { scalars += try captioner.maps(batch.images).scalars }
      found += batch.indices.map { images[$0] }
      done += batch.indices.count + batch.failures.count
      progress(done)
    }
    self.images = found
    maps = Tensor(scalars, [found.count, captioner.description.mapSize])
  }

  /// The same of features that are given to a model which was trained on such.
  /// - Throws: `FeatureFileError`, also for images that the files have none of.
  public init(_ captioner: CaptionModel, _ images: [CaptionedImage], given files: FeatureFiles) throws {
    let selected = try SelectedFeatures(images.map { NamedImage($0) }, in: files)
    self.images = images
    maps = selected.read(Array(images.indices))
    if let error = selected.error { throw error }
  }

  /// The same by way of a feature file, in which those that are missing are stored as they are computed.
  /// - Parameters:
  ///   - path: the file.
  ///   - progress: called with the number of images done, and how many were missing.
  ///   - note: told how many images have changed since their maps were stored, and are computed again; and where the
  ///     file's photos were decoded exactly, as those that are missing will be.
  ///   - failed: called with the reason of each image that can't be read.
  /// - Throws: `MapCacheError`, `ModelError.notFinite`.
  public init(
    _ captioner: CaptionModel, _ images: [CaptionedImage], keptIn path: String,
    progress: (_ done: Int, _ pending: Int) -> Void = { _, _ in }, note: (String) -> Void = { _ in },
    failed: (String) -> Void
  ) throws {
    let files = images.map(\.path)
    let width = captioner.description.mapSize
    let cache = try captioner.encoder.cache(
      at: path, files: files, width: width, tap: captioner.description.tap, note: note)
    for warning in cache.warnings { note(warning) }
    let pending = cache.pending.count
    progress(0, pending)
    try captioner.encoder.fill(cache, paths: files, tap: captioner.description.tap) {
      progress($0, pending)
    } failed: {
      failed($1)
    }
    let rows = images.indices.filter { cache.status(of: $0) == .done }
    var maps = Tensor(uninitialized: [rows.count, width])
    let memory = maps.mutablePointer()
    for (place, row) in rows.enumerated() {
      memory.advanced(by: place * width).update(from: cache.features(of: row), count: width)
    }
    withExtendedLifetime(cache) {}
    self.images = rows.map { images[$0] }
    self.maps = maps
  }
}
