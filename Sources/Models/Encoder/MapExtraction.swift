public import Datasets
public import Imaging
internal import Kernels
public import Tensors

extension VGGEncoder {
  /// Fills the missing rows of a cache, one image file a row, and makes them last every few batches.
  /// - Parameters:
  ///   - paths: the file of each row.
  ///   - view: which view of the images; an image's number is its row.
  ///   - tap: what is taken of an image.
  ///   - transform: what is stored for that [N, width]; it itself unless given.
  ///   - progress: called with the number of rows done after each batch.
  ///   - failed: called with the path and reason of each image that can't be read; its row is marked.
  /// - Throws: `MapCacheError`; `ModelError.notFinite` when the weights give no numbers; what `progress` throws. The
  ///   rows that were done are kept.
  public func fill(
    _ cache: MapCache, paths: [String], view: Augmentation = Augmentation(0),
    tap: Tap = .pooled, transform: (Tensor) -> Tensor = { $0 },
    progress: (Int) throws -> Void, failed: (String, String) -> Void
  ) throws {
    precondition(paths.count == cache.names.count)
    let rows = cache.pending
    let wanted = rows.map { paths[$0] }
    let batches = ImageLoader(preprocessing, reader: reader).batches(wanted, of: Self.batchSize) {
      view($0, number: rows[$1])
    }
    var done = 0
    do {
      for (number, batch) in batches.enumerated() {
        for (index, error) in batch.failures {
          cache.markFailed(row: rows[index])
          failed(wanted[index], "\(error)")
        }
        if !batch.indices.isEmpty {
          let features = try checked(transform(checkedFeatures(batch.images, tap)))
          for (position, index) in batch.indices.enumerated() {
            try withExtendedLifetime(features) {
              try cache.store(features.pointer + position * cache.width, row: rows[index])
            }
          }
        }
        // Before rows of mixed weights can count.
        try checkUnchanged()
        done += batch.indices.count + batch.failures.count
        if number % 16 == 15 { try cache.flush() }
        try progress(done)
      }
    } catch {
      if (try? checkUnchanged()) != nil { try? cache.flush() }
      throw error
    }
    try cache.flush()
  }
}
