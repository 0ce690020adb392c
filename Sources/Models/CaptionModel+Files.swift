public import Imaging
public import Language
public import Tensors

extension CaptionModel {
  /// Images that are searched together: their rows share each reading of the decoder's weights.
  static let searchSize = 64

  /// Captions image files, read as `encoder.reader` says, in order: files are read while those before them are encoded, and
  /// searched in groups. Memory does not grow with their number.
  /// - Parameters:
  ///   - search: the captions of images [N, mapSize], of which these are the places among the files.
  ///   - found: called with each file's place and its captions, or why it can't be read; what it throws ends the work.
  /// - Throws: `ModelError.notFinite`; `ModelError.weights` when another program wrote into the model file; what `found`
  ///   throws.
  public func caption(
    _ files: [String], search: (_ maps: Tensor, _ places: [Int]) -> [[Caption]],
    found: (Int, Result<[Caption], ImageError>) throws -> Void
  ) throws {
    var group = Group()
    func finish() throws {
      let captions = group.places.isEmpty ? [] : search(group.maps, group.places)
      try checkUnchanged()
      let results: [(place: Int, result: Result<[Caption], ImageError>)] =
        zip(group.places, captions).map { ($0, .success($1)) }
        + group.failures.map { ($0.index, .failure($0.error)) }
      group = Group()
      for (place, result) in results.sorted(by: { $0.place < $1.place }) { try found(place, result) }
    }
    let loader = ImageLoader(description.preprocessing, reader: encoder.reader)
    for batch in loader.batches(files, of: VGGEncoder.batchSize) {
      if !batch.indices.isEmpty { group.rows.append(try maps(batch.images)) }
      group.places += batch.indices
      group.failures += batch.failures
      if group.places.count + group.failures.count >= Self.searchSize { try finish() }
    }
    try finish()
  }
}

/// Files that wait for the search.
private struct Group {
  var places: [Int] = []
  var failures: [(index: Int, error: ImageError)] = []
  var rows: [Tensor] = []

  /// All rows [N, mapSize]; there is at least one.
  var maps: Tensor {
    let width = rows[0].shape[1]
    var all = Tensor(uninitialized: [places.count, width])
    var memory = all.mutablePointer()
    for rows in rows {
      memory.update(from: rows.pointer, count: rows.count)
      memory += rows.count
    }
    return all
  }
}
