internal import Support

/// What `torch.save` writes since PyTorch 1.6: a zip archive of a pickle, `NAME/data.pkl`, and of the bytes of each storage,
/// `NAME/data/KEY`, stored as they are.
final class PyTorchArchive {
  private let archive: ZipArchive
  /// The folder in the archive, with its slash.
  private let folder: String
  private let bigEndian: Bool
  private var storages: [String: PickleReader.StoredBytes] = [:]
  /// Bytes that may still be unpacked, where an archive was packed again by another program.
  private var room: Int

  /// - Parameter size: the file's, in bytes.
  init(path: String, size: Int) throws(WeightFileError) {
    do { archive = try ZipArchive(path: path) } catch { throw .file(error) }
    let pickle = "data.pkl"
    guard let name = archive.orderedNames.first(where: { $0 == pickle || $0.hasSuffix("/" + pickle) }) else {
      throw .malformed(
        path: path, place: "archive", expected: "\(pickle), as PyTorch saves", found: "none")
    }
    folder = String(name.dropLast(pickle.count))
    room = max(1 << 24, 40 * min(size, 1 << 40))
    var order = Array("little".utf8)
    if archive.size(of: folder + "byteorder") != nil {
      do { order = try archive.bytes(of: folder + "byteorder", limit: 16) } catch { throw .file(error) }
    }
    let said = String(decoding: order, as: UTF8.self)
    guard ["little", "big"].contains(said) else {
      throw .malformed(path: path, place: folder + "byteorder", expected: "little or big", found: said)
    }
    bigEndian = said == "big"
  }

  /// What was saved.
  func value(_ objects: Set<String>) throws(WeightFileError) -> PickleValue {
    let (file, range) = try part(folder + "data.pkl")
    var reader = PickleReader(ByteReader(file, range), objects: objects, findStorage: find)
    return try reader.read()
  }

  private func find(_ storage: PickleReader.Storage) throws(WeightFileError) -> PickleReader.StoredBytes {
    let found: PickleReader.StoredBytes
    if let known = storages[storage.key] {
      found = known
    } else {
      let (file, range) = try part(folder + "data/" + storage.key)
      found = PickleReader.StoredBytes(file: file, range: range, bigEndian: bigEndian)
      storages[storage.key] = found
    }
    if let size = storage.type?.size {
      guard storage.count <= found.range.count / size else {
        throw .malformed(
          path: archive.path, place: folder + "data/" + storage.key,
          expected: "\(storage.count) numbers of \(size) bytes", found: "\(found.range.count) bytes")
      }
    }
    return found
  }

  private func part(_ name: String) throws(WeightFileError) -> (MappedFile, Range<Int>) {
    do {
      let part = try archive.part(name, limit: room)
      if part.file.path != archive.path { room -= part.range.count }
      return part
    } catch { throw .file(error) }
  }
}
