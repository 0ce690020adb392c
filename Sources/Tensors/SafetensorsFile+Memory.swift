internal import Support

extension SafetensorsFile {
  /// Tensors as a file that is in memory alone: what another program's file was read as.
  /// - Parameter path: where they come from, for messages.
  /// - Throws: `SafetensorsError.file` when there is no memory.
  public init(
    inMemory tensors: [(name: String, tensor: Tensor)], metadata: [String: String], path: String
  ) throws(SafetensorsError) {
    do {
      let header = try SafetensorsHeader(
        packed: tensors.map { ($0.name, StoredType.float32.rawValue, 4, $0.tensor.shape) }, metadata: metadata
      )
      let file = try MappedFile(path: path, count: header.fileSize) { memory in
        memory.copyBytes(from: header.bytes)
        for (entry, tensor) in zip(header.entries, tensors.map(\.tensor)) {
          tensor.withUnsafeBufferPointer {
            UnsafeMutableRawBufferPointer(rebasing: memory[(header.bytes.count + entry.range.lowerBound)...])
              .copyMemory(from: UnsafeRawBufferPointer($0))
          }
        }
      }
      try self.init(file)
    } catch let error as SafetensorsError {
      throw error
    } catch let error as FileError {
      throw .file(error)
    } catch {
      throw .file(FileError(path: path, action: "keep", reason: "\(error)"))
    }
  }
}
