internal import Imaging
public import Tensors
internal import WeightFiles

extension ImportedEncoder {
  /// Reads the convolutional network in a file of any kind and naming that is known.
  /// - Throws: `ModelError`; `.weights` where the file is of no kind that is known.
  public init(path: String) throws(ModelError) {
    let found: NamedTensors?
    do { found = try NamedTensors.read(path: path) } catch { throw .foreign(error) }
    guard let file = found else {
      // Which says what it is.
      do { _ = try SafetensorsFile(path: path) } catch { throw .weights(error) }
      throw .unsupported(path: path, expected: "weights", found: "something else")
    }
    for importer in Self.importers {
      guard var encoder = try importer.imported(file) else { continue }
      if file.format == .safetensors, encoder.preprocessing == nil {
        do { encoder.preprocessing = try Preprocessing(weightsMetadata: file.metadata) } catch {
          throw .unsupported(
            path: path, expected: "\(error.field) \(error.expected) in the metadata", found: error.found)
        }
      }
      self = encoder
      return
    }
    let names = file.entries.prefix(3).map(\.name).joined(separator: ", ")
    let rest = file.entries.count > 3 ? ", …" : ""
    throw .unsupported(
      path: path, expected: "the convolutions of a VGG network",
      found: file.entries.isEmpty ? "no tensors" : "\(file.entries.count) tensors (\(names)\(rest))")
  }

  /// The network that the tensors are of.
  /// - Parameter path: where they come from.
  /// - Throws: `ModelError.unsupported`.
  func network(path: String) throws(ModelError) -> VGGArchitecture {
    try VGGArchitecture(
      shapes: Dictionary(tensors.map { ($0.name, $0.tensor.shape) }) { first, _ in first }, path: path)
  }

  /// As a file that is in memory alone, with the preprocessing in its metadata.
  /// - Parameter path: where it comes from.
  /// - Throws: `ModelError.weights` when there is no memory.
  public func file(path: String) throws(ModelError) -> SafetensorsFile {
    do {
      return try SafetensorsFile(
        inMemory: tensors, metadata: preprocessing?.weightsMetadata ?? [:], path: path)
    } catch { throw .weights(error) }
  }
}
