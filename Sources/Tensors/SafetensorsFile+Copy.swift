internal import Foundation
internal import Support

extension SafetensorsFile {
  /// Writes the same tensors, byte for byte, under another `__metadata__`, whole or not at all.
  /// - Throws: `SafetensorsError.file`.
  public func copy(to destination: String, metadata: [String: String]) throws(SafetensorsError) {
    let bytes = file.bytes
    // Opening the file has checked the header.
    let start = 8 + Int(UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self)))
    do {
      var header =
        try JSONSerialization.jsonObject(with: Data(bytes[8..<start])) as? [String: Any] ?? [:]
      header["__metadata__"] = metadata
      var json = [UInt8](
        try JSONSerialization.data(withJSONObject: header, options: [.sortedKeys, .withoutEscapingSlashes]))
      json += [UInt8](repeating: 0x20, count: (64 - (8 + json.count) % 64) % 64)
      try AtomicFile.write(to: destination) { output in
        try withUnsafeBytes(of: UInt64(json.count).littleEndian) { try output.write($0) }
        try output.write(json)
        try output.write(UnsafeRawBufferPointer(rebasing: bytes[start...]))
      }
    } catch let error as FileError {
      throw .file(error)
    } catch {
      throw .file(FileError(path: destination, action: "write", reason: "\(error)"))
    }
    withExtendedLifetime(file) {}
  }
}
