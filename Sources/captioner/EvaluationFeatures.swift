import Captioning
import Datasets
import Imaging
import Support
import Tensors

/// The pooled maps of a data set's images, computed or found in a file.
struct EvaluationFeatures {
  private let captioner: Captioner
  private let images: [CaptionedImage]
  private let files: [String]

  init(_ captioner: Captioner, images: [CaptionedImage]) {
    (self.captioner, self.images) = (captioner, images)
    files = images.map(\.path)
  }

  /// The images that can be read, and their pooled maps [N, pooledSize].
  func computed() throws -> ([CaptionedImage], Tensor) {
    let loader = ImageLoader(captioner.description.preprocessing)
    var progress = ProgressLine("features", total: files.count, unit: "images")
    var scalars: [Float] = []
    var found: [CaptionedImage] = []
    for start in stride(from: 0, to: files.count, by: VGGEncoder.batchSize) {
      let range = start..<min(files.count, start + VGGEncoder.batchSize)
      let batch = loader.load(files, range)
      for failure in batch.failures { Console.complain("\(failure.error)") }
      if !batch.indices.isEmpty { scalars += try captioner.pooled(batch.images).scalars }
      found += batch.indices.map { images[$0] }
      progress.update(range.upperBound)
    }
    progress.finish(files.count)
    return (found, Tensor(scalars, [found.count, width]))
  }

  /// The same by way of a feature file, in which those that are missing are stored as they are computed.
  func cached(in path: String) throws -> ([CaptionedImage], Tensor) {
    let cache = try FeatureCache(
      path: path, key: try captioner.encoder.fingerprint(), names: files, width: width)
    let pending = cache.pending.count
    var progress = ProgressLine("features", total: pending, unit: "images")
    try captioner.encoder.fill(cache, paths: files) {
      progress.update($0)
    } failed: {
      Console.complain($1)
    }
    progress.finish(pending)
    let rows = images.indices.filter { cache.status(of: $0) == .done }
    var pooled = Tensor(uninitialized: [rows.count, width])
    let memory = pooled.mutablePointer()
    for (place, row) in rows.enumerated() {
      memory.advanced(by: place * width).update(from: cache.features(of: row), count: width)
    }
    return withExtendedLifetime(cache) { (rows.map { images[$0] }, pooled) }
  }

  private var width: Int { captioner.description.encoder.pooledSize }
}
