public import Datasets
public import Imaging
internal import Kernels
public import Tensors

extension VGGEncoder {
  /// Fills the missing rows of a cache, one image file a row, and makes them last every few batches.
  /// - Parameters:
  ///   - paths: the file of each row.
  ///   - view: which view of the images.
  ///   - numbers: the images' numbers, by which views are drawn; their rows unless given.
  ///   - tap: what is taken of an image.
  ///   - transform: what is stored for that [N, width]; it itself unless given.
  ///   - progress: called with the number of rows done after each batch.
  ///   - failed: called with the path and reason of each image that can't be read; its row is marked.
  /// - Throws: `MapCacheError`; `ModelError.notFinite` when the weights give no numbers; what `progress` throws. The
  ///   rows that were done are kept.
  public func fill(
    _ cache: MapCache, paths: [String], view: Augmentation = Augmentation(0), numbers: [Int]? = nil,
    tap: Tap = .pooled, transform: (Tensor) -> Tensor = { $0 },
    progress: (Int) throws -> Void, failed: (String, String) -> Void
  ) throws {
    precondition(paths.count == cache.names.count)
    let rows = cache.pending
    let wanted = rows.map { paths[$0] }
    let batches = ImageLoader(preprocessing, reader: reader).batches(wanted, of: Self.batchSize) {
      view($0, number: numbers?[rows[$1]] ?? rows[$1])
    }
    var done = 0
    do {
      for (number, batch) in batches.enumerated() {
        for (index, error) in batch.failures {
          cache.markFailed(row: rows[index])
          failed(wanted[index], "\(error)")
        }
        if !batch.indices.isEmpty {
          let features = try checked(transform(checkedMaps(batch.images, tap)))
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

  /// The features of images in a file of their own. One that is there already and was made of exactly decoded photos, as
  /// earlier versions made them, goes on so: `reader.decoding` becomes `.exact`, and `note` is told.
  /// - Parameters:
  ///   - path: the file.
  ///   - key: what names the features, given the `fingerprint`.
  ///   - files: the images, a row each.
  ///   - width: scalars in a row.
  ///   - tap: what is taken of an image.
  /// - Throws: `MapCacheError`; `ModelError.unsupported` for features of scaled photos where exact ones are wanted.
  public func cache(
    at path: String, key: (String) -> String = { $0 }, files: [String], width: Int, tap: Tap = .pooled,
    note: (String) -> Void
  ) throws -> MapCache {
    let wanted = key(try fingerprint(tap))
    let found = MapCache.contents(of: path)?.key
    if let found, found != wanted {
      let told = reader.decoding
      reader.decoding = told == .scaled ? .exact : .scaled
      let isOther = found == key(try fingerprint(tap))
      if isOther, told == .exact {
        reader.decoding = told
        throw ModelError.unsupported(
          path: path, expected: "features of exactly decoded photos",
          found: "those of scaled ones; leave out --exact-decoding, or name another file")
      }
      if isOther {
        note("\(path): its photos were decoded exactly; those that are missing are too")
      } else {
        reader.decoding = told
      }
    }
    return try MapCache(path: path, key: key(try fingerprint(tap)), names: files, files: files, width: width)
  }
}
