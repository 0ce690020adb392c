internal import Support

extension SafetensorsFile {
  /// Writes the same tensors, byte for byte, under another `__metadata__`, whole or not at all.
  /// - Throws: `SafetensorsError.file`.
  public func copy(to destination: String, metadata: [String: String]) throws(SafetensorsError) {
    let bytes = file.bytes
    // Opening the file has checked the header.
    let start = 8 + Int(UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self)))
    do {
      let header = try SafetensorsHeader(
        entries.map { name, entry in
          let first = entry.offset - start
          return .init(
            name: name, typeName: entry.typeName, shape: entry.shape, range: first..<first + entry.byteCount)
        }, metadata: metadata)
      try AtomicFile.write(to: destination) { output in
        try output.write(header.bytes)
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
