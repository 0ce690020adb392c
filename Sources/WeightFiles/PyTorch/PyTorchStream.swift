internal import Support

/// What `torch.save` wrote before PyTorch 1.6, and still writes where it is told to: pickles one after the other (a magic
/// number, a version, the machine, what was saved, the keys of storages), then of each storage its size and its bytes.
struct PyTorchStream {
  /// The number in the first pickle, as it lies there.
  static let magic: [UInt8] = [0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19]

  private let file: MappedFile
  /// Where the pickle of what was saved begins.
  private let start: Int
  private let storages: [String: PickleReader.StoredBytes]

  init(_ file: MappedFile) throws(WeightFileError) {
    self.file = file
    func pickle(at place: Int) throws(WeightFileError) -> (PickleValue, end: Int) {
      var reader = PickleReader(ByteReader(file, place..<file.bytes.count))
      let value = try reader.read()
      return (value, reader.reader.place)
    }
    let (_, versionPlace) = try pickle(at: 0)
    let (version, machinePlace) = try pickle(at: versionPlace)
    guard version.integer == 1001 else {
      throw .malformed(
        path: file.path, place: "byte \(versionPlace)", expected: "version 1001 of PyTorch's files",
        found: version.integer.map(String.init) ?? "something else")
    }
    let (machine, place) = try pickle(at: machinePlace)
    start = place
    let bigEndian = machine["little_endian"]?.bool == false

    // Where storages lie is known only behind what refers to them: it is read twice.
    var scan = PickleReader(ByteReader(file, start..<file.bytes.count)) { _ in nil }
    try scan.skip()
    var types: [String: PickleReader.Storage] = [:]
    for storage in scan.storages where types[storage.key]?.type == nil { types[storage.key] = storage }
    let (keys, end) = try pickle(at: scan.reader.place)
    guard let keys = keys.items else {
      throw .malformed(
        path: file.path, place: "byte \(scan.reader.place)", expected: "a list of storages",
        found: "something else")
    }
    var reader = ByteReader(file, end..<file.bytes.count)
    var storages: [String: PickleReader.StoredBytes] = [:]
    for key in keys {
      let name = key.string ?? key.integer.map(String.init) ?? ""
      let place = reader.place
      let count = try reader.integer("a storage's size", as: Int64.self)
      guard let type = types[name], let size = type.type?.size else {
        throw reader.malformed(
          "a storage of numbers that are read here", types[name]?.typeName ?? "one that nothing refers to",
          at: place)
      }
      guard count >= 0, count <= reader.left / size else {
        throw reader.malformed("a storage of at most \(reader.left / size) numbers", "\(count)", at: place)
      }
      guard type.count <= count else {
        throw reader.malformed("a storage of \(type.count) numbers", "\(count)", at: place)
      }
      let range = try reader.range(Int(count) * size, of: "a storage")
      storages[name] = PickleReader.StoredBytes(file: file, range: range, bigEndian: bigEndian)
    }
    self.storages = storages
  }

  /// What was saved.
  func value(_ objects: Set<String>) throws(WeightFileError) -> PickleValue {
    let (file, storages) = (file, storages)
    var reader = PickleReader(ByteReader(file, start..<file.bytes.count), objects: objects) {
      (storage) throws(WeightFileError) in
      guard let bytes = storages[storage.key] else {
        throw .malformed(
          path: file.path, place: "storage \(storage.key.prefix(40))",
          expected: "its bytes behind the pickles",
          found: "none")
      }
      return bytes
    }
    return try reader.read()
  }
}
