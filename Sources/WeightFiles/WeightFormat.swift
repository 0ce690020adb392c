public import Support

/// The kinds of files in which other programs keep weights.
public enum WeightFormat: String, Sendable, CaseIterable {
  /// safetensors, under any names.
  case safetensors
  /// Torch 7's `.t7`.
  case torch7
  /// What `torch.save` writes: `.pth`, `.pt`.
  case pyTorch = "pytorch"
  /// What NumPy's `save` and `savez` write: `.npy`, `.npz`.
  case numPy = "numpy"
  /// A pickle of Python.
  case pickle
  /// Caffe's `.caffemodel`.
  case caffe
  /// ONNX.
  case onnx
  /// HDF5, as Keras and h5py write it.
  case hdf5
  /// A zip archive of Keras 3, whose weights are HDF5.
  case keras

  /// What people call it.
  public var title: String {
    switch self {
    case .safetensors: "safetensors"
    case .torch7: "Torch 7"
    case .pyTorch: "PyTorch"
    case .numPy: "NumPy"
    case .pickle: "Python pickle"
    case .caffe: "Caffe"
    case .onnx: "ONNX"
    case .hdf5: "HDF5"
    case .keras: "Keras"
    }
  }

  /// Whether a file that begins so is of this kind.
  func matches(_ start: ArraySlice<UInt8>, path: String) -> Bool {
    switch self {
    case .safetensors: Self.isSafetensors(start)
    case .torch7: path.lowercased().hasSuffix(".t7") || Torch7File.matches(start)
    case .pyTorch:
      Self.isPyTorchStream(start) || Self.firstName(ofZip: start)?.hasSuffix("/data.pkl") ?? false
    case .numPy:
      start.starts(with: NumPyArray.signature) || Self.firstName(ofZip: start)?.hasSuffix(".npy") ?? false
    case .pickle: Self.isPickle(start, path: path)
    // Protocol Buffers begin with nothing of their own; a network's name comes first, if it has one.
    case .caffe: path.lowercased().hasSuffix(".caffemodel")
    case .onnx: path.lowercased().hasSuffix(".onnx") || Self.isONNX(start)
    case .hdf5: start.starts(with: HDF5File.signature)
    case .keras: start.starts(with: [0x50, 0x4B, 0x03, 0x04]) && path.lowercased().hasSuffix(".keras")
    }
  }

  /// A version of the representation, which is small, then the producer's name or what follows it.
  private static func isONNX(_ start: ArraySlice<UInt8>) -> Bool {
    let start = Array(start.prefix(3))
    return start.count == 3 && start[0] == 0x08 && start[1] < 0x40 && [0x12, 0x1A, 0x3A].contains(start[2])
  }

  /// A header's length, then the header.
  private static func isSafetensors(_ start: ArraySlice<UInt8>) -> Bool {
    start.count > 8 && start[start.startIndex + 8] == UInt8(ascii: "{")
      && start[start.startIndex + 4..<start.startIndex + 8].allSatisfy { $0 == 0 }
  }

  /// A pickle of PyTorch's magic number; protocol and frame before it take up to 11 bytes.
  static func isPyTorchStream(_ start: ArraySlice<UInt8>) -> Bool {
    guard start.first == 0x80 else { return false }
    let magic = PyTorchStream.magic
    return (2...11).contains { start.dropFirst($0).starts(with: magic) }
  }

  /// The name of the first file of a zip archive.
  private static func firstName(ofZip start: ArraySlice<UInt8>) -> String? {
    let start = Array(start)
    guard start.count >= 30, start.starts(with: [0x50, 0x4B, 0x03, 0x04]) else { return nil }
    let count = Int(start[26]) | Int(start[27]) << 8
    guard start.count >= 30 + count else { return nil }
    return String(decoding: start[30..<30 + count], as: UTF8.self)
  }

  /// A protocol from 2 on; before that pickles have no signature, and what they begin with must be what one says by its
  /// name that it is.
  private static func isPickle(_ start: ArraySlice<UInt8>, path: String) -> Bool {
    let start = Array(start.prefix(2))
    guard start.count == 2 else { return false }
    if start[0] == 0x80 { return (2...5).contains(start[1]) }
    return [".p", ".pkl", ".pickle"].contains(where: path.lowercased().hasSuffix)
      && "(]}c".utf8.contains(start[0])
  }

  /// The kind that a file is by its first bytes, and where those say too little (Caffe, ONNX) by its name's end; nil: none
  /// that is read here.
  /// - Throws: `FileError` when it can't be read.
  public static func of(path: String) throws(FileError) -> WeightFormat? { of(try MappedFile(path: path)) }

  /// The same of a file that is mapped.
  static func of(_ file: MappedFile) -> WeightFormat? {
    let start = ArraySlice(Array(file.bytes.prefix(512)))
    return allCases.first { $0.matches(start, path: file.path) }
  }
}

extension NamedTensors {
  /// Reads a file of any kind that is known; nil: it is of none.
  /// - Throws: `WeightFileError`.
  public static func read(path: String) throws(WeightFileError) -> NamedTensors? {
    let file: MappedFile
    do { file = try MappedFile(path: path) } catch { throw .file(error) }
    guard let format = WeightFormat.of(file) else { return nil }
    do throws(WeightFileError) { return try read(file, format) } catch { throw error.within(format) }
  }

  private static func read(_ file: MappedFile, _ format: WeightFormat) throws(WeightFileError) -> NamedTensors
  {
    let path = file.path
    switch format {
    case .caffe: return try CaffeModel.read(path: path)
    case .onnx: return try ONNXModel.read(path: path)
    case .safetensors: return try NamedTensors(safetensors: path)
    case .torch7: return try Torch7File(file).tensors
    case .pyTorch, .pickle: return try NamedTensors(path: path, format: format, PickleValue.read(path: path))
    case .numPy:
      let isArray = file.bytes.starts(with: NumPyArray.signature)
      return try isArray
        ? NamedTensors(numPy: file) : NamedTensors(numPyArchive: path, size: file.bytes.count)
    case .hdf5: return NamedTensors(hdf5: try HDF5File(path: path), .hdf5)
    case .keras: return NamedTensors(hdf5: try HDF5File(keras: path), .keras)
    }
  }
}
