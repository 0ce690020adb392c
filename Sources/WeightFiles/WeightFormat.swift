public import Support

/// The kinds of files in which other programs keep weights.
public enum WeightFormat: String, Sendable, CaseIterable {
  /// safetensors, as we write it.
  case safetensors
  /// HDF5, as Keras and h5py write it.
  case hdf5
  /// A zip archive of Keras 3, whose weights are HDF5.
  case keras

  /// What people call it.
  public var title: String {
    switch self {
    case .safetensors: "safetensors"
    case .hdf5: "HDF5"
    case .keras: "Keras"
    }
  }

  /// Whether a file that begins so is of this kind.
  func matches(_ start: ArraySlice<UInt8>, path: String) -> Bool {
    switch self {
    case .safetensors: false
    case .hdf5: start.starts(with: HDF5File.signature)
    case .keras: start.starts(with: [0x50, 0x4B, 0x03, 0x04]) && path.lowercased().hasSuffix(".keras")
    }
  }

  /// The kind that a file is by its first bytes, and where those say too little (Caffe, ONNX) by its name's end; nil: none
  /// that is read here.
  /// - Throws: `FileError` when it can't be read.
  public static func of(path: String) throws(FileError) -> WeightFormat? {
    let file = try MappedFile(path: path)
    let start = ArraySlice(Array(file.bytes.prefix(512)))
    return allCases.first { $0.matches(start, path: path) }
  }
}

extension NamedTensors {
  /// Reads a file of any kind that is known.
  /// - Throws: `WeightFileError`.
  public static func read(path: String) throws(WeightFileError) -> NamedTensors? {
    let format: WeightFormat?
    do { format = try WeightFormat.of(path: path) } catch { throw .file(error) }
    switch format {
    case nil, .safetensors: return nil
    case .hdf5: return NamedTensors(hdf5: try HDF5File(path: path), .hdf5)
    case .keras: return NamedTensors(hdf5: try HDF5File(keras: path), .keras)
    }
  }
}
