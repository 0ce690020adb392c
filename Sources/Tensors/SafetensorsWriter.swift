internal import Support

/// Writes a safetensors file, whole or not at all.
public enum SafetensorsWriter {
  /// One tensor to write.
  public struct Item: Sendable {
    let name: String
    let tensor: Tensor
    let type: StoredType

    /// A tensor under a name, stored in a number format.
    public init(name: String, tensor: Tensor, type: StoredType = .float32) {
      self.name = name
      self.tensor = tensor
      self.type = type
    }
  }

  /// Writes the tensors in the given order with wide types first, data on a 64-byte boundary.
  /// - Throws: `SafetensorsError.file`.
  public static func write(_ items: [Item], metadata: [String: String], to path: String)
    throws(SafetensorsError)
  {
    // Wide scalars first: then every tensor is aligned to its own scalar.
    let ordered = items.filter { $0.type == .float32 } + items.filter { $0.type != .float32 }
    do {
      let header = try SafetensorsHeader(
        packed: ordered.map { ($0.name, $0.type.rawValue, $0.type.size, $0.tensor.shape) }, metadata: metadata
      )
      try AtomicFile.write(to: path) { file in
        try file.write(header.bytes)
        for item in ordered { try write(item, to: &file) }
      }
    } catch let error as FileError {
      throw .file(error)
    } catch {
      throw .file(FileError(path: path, action: "write", reason: "\(error)"))
    }
  }

  private static func write(_ item: Item, to file: inout AtomicFile) throws {
    try item.tensor.withUnsafeBufferPointer { scalars in
      if item.type == .float32 {
        try file.write(UnsafeRawBufferPointer(scalars))
        return
      }
      let chunk = 1 << 16
      var halves = [UInt16](repeating: 0, count: min(chunk, scalars.count))
      for start in stride(from: 0, to: scalars.count, by: chunk) {
        let count = min(chunk, scalars.count - start)
        convert(scalars.baseAddress! + start, count: count, to: item.type, into: &halves)
        try halves.withUnsafeBytes { try file.write(UnsafeRawBufferPointer(rebasing: $0[..<(count * 2)])) }
      }
    }
  }
}
