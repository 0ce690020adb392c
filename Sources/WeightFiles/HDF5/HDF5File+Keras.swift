internal import Support

extension HDF5File {
  /// The weights in an archive that Keras 3 writes, `model.keras`: copied into memory.
  /// - Throws: `WeightFileError` when it can't be read, or has none.
  public init(keras path: String) throws(WeightFileError) {
    do {
      let weights = try ZipArchive(path: path).part("model.weights.h5", limit: .max)
      let bytes = UnsafeRawBufferPointer(rebasing: weights.file.bytes[weights.range])
      try self.init(MappedFile(path: path, count: bytes.count) { $0.copyMemory(from: bytes) })
    } catch let error as FileError {
      throw .file(error)
    } catch let error as WeightFileError {
      throw error
    } catch {
      throw .refused(path: path, place: "model.weights.h5", reason: "\(error)")
    }
  }
}

extension NamedTensors {
  /// The datasets of numbers of an HDF5 file, by their paths; its other datasets are in the metadata by what they are, and
  /// so are short attributes, as `path@attribute`.
  init(hdf5 file: HDF5File, _ format: WeightFormat) {
    var metadata: [String: String] = [:]
    for (path, attributes) in file.attributes {
      for (name, attribute) in attributes { metadata["\(path)@\(name)"] = attribute.summary }
    }
    var entries: [Entry] = []
    for dataset in file.datasets {
      guard dataset.isNumeric else {
        metadata[dataset.name] = "\(dataset.typeName) \(dataset.shape)"
        continue
      }
      entries.append(
        Entry(name: dataset.name, shape: dataset.shape, typeName: dataset.typeName) {
          () throws(WeightFileError) in try dataset.read()
        })
    }
    self.init(path: file.path, format: format, entries: entries, metadata: metadata)
  }
}
