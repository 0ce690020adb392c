internal import CKernels
internal import Foundation
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
      (self.name, self.tensor, self.type) = (name, tensor, type)
    }
  }

  /// Writes the tensors in the given order with wide types first, data on a 64-byte boundary.
  /// - Throws: `SafetensorsError.file`.
  public static func write(_ items: [Item], metadata: [String: String], to path: String)
    throws(SafetensorsError)
  {
    // Wide scalars first: then every tensor is aligned to its own scalar.
    let ordered = items.filter { $0.type == .float32 } + items.filter { $0.type != .float32 }
    var header: [String: Any] = metadata.isEmpty ? [:] : ["__metadata__": metadata]
    var offset = 0
    for item in ordered {
      let end = offset + item.tensor.count * item.type.size
      header[item.name] = [
        "dtype": item.type.rawValue, "shape": item.tensor.shape.dimensions, "data_offsets": [offset, end],
      ]
      offset = end
    }
    do {
      var json = try JSONSerialization.data(
        withJSONObject: header, options: [.sortedKeys, .withoutEscapingSlashes])
      json.append(contentsOf: [UInt8](repeating: 0x20, count: (64 - (8 + json.count) % 64) % 64))
      let bytes = [UInt8](json)
      try AtomicFile.write(to: path) { file in
        try withUnsafeBytes(of: UInt64(bytes.count).littleEndian) { try file.write($0) }
        try file.write(bytes)
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
      let kernels = ck_kernels_best()!.pointee
      let chunk = 1 << 16
      var halves = [UInt16](repeating: 0, count: min(chunk, scalars.count))
      for start in stride(from: 0, to: scalars.count, by: chunk) {
        let count = min(chunk, scalars.count - start)
        let source = scalars.baseAddress! + start
        if item.type == .float16 {
          kernels.float_to_half(source, &halves, count)
        } else {
          for i in 0..<count { halves[i] = UInt16(truncatingIfNeeded: roundedToBFloat(source[i])) }
        }
        try halves.withUnsafeBytes { try file.write(UnsafeRawBufferPointer(rebasing: $0[..<(count * 2)])) }
      }
    }
  }

  /// The upper 16 bits, rounded to nearest even.
  private static func roundedToBFloat(_ value: Float) -> UInt32 {
    let bits = value.bitPattern
    if value.isNaN { return bits >> 16 | 0x40 }
    return (bits + 0x7FFF + (bits >> 16 & 1)) >> 16
  }
}
