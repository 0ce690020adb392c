public import Support

/// The kinds of files in which other programs keep weights.
public enum WeightFormat: String, Sendable, CaseIterable {
  /// safetensors, as we write it.
  case safetensors
  /// Torch 7's `.t7`.
  case torch7

  /// What people call it.
  public var title: String {
    switch self {
    case .safetensors: "safetensors"
    case .torch7: "Torch 7"
    }
  }

  /// Whether a file that begins so is of this kind.
  func matches(_ start: ArraySlice<UInt8>, path: String) -> Bool {
    switch self {
    case .safetensors: false
    case .torch7: path.lowercased().hasSuffix(".t7") || Torch7File.matches(start)
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
    case .torch7: return try Torch7File(path: path).tensors
    }
  }
}
