internal import Support
internal import Tensors

extension NamedTensors {
  /// A safetensors file, whatever its tensors are called.
  init(safetensors path: String) throws(WeightFileError) {
    let file: SafetensorsFile
    do { file = try SafetensorsFile(path: path) } catch {
      switch error {
      case .file(let error): throw .file(error)
      case .malformed(let path, let expected, let found):
        throw .malformed(path: path, place: "header", expected: expected, found: found)
      default: throw .malformed(path: path, place: "header", expected: "tensors", found: "\(error)")
      }
    }
    let entries = file.entries.sorted { ($0.value.offset, $0.key) < ($1.value.offset, $1.key) }
    self.init(
      path: path, format: .safetensors,
      entries: entries.map { name, entry in
        Entry(name: name, shape: entry.shape, typeName: entry.typeName) { () throws(WeightFileError) in
          if let tensor = try? file.tensor(named: name) { return tensor }
          guard let type = Self.types[entry.typeName] else {
            throw .malformed(
              path: path, place: name, expected: "numbers that are read here", found: entry.typeName)
          }
          return file.bytes(of: entry).withUnsafeBytes { type.tensor($0, from: 0, shape: entry.shape) }
        }
      }, metadata: file.metadata)
  }

  /// Numbers that weights need not be.
  private static let types: [String: ScalarType] = [
    "F64": .float64, "I64": .int64, "I32": .int32, "I16": .int16, "I8": .int8, "U64": .uint64, "U32": .uint32,
    "U16": .uint16, "U8": .uint8, "BOOL": .uint8,
  ]
}
