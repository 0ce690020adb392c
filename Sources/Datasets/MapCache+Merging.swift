internal import Foundation
internal import Support
internal import Tensors

extension MapCache {
  /// Writes the rows of several files of features, one after the other, into one, whole or not at all.
  /// - Returns: how many rows there are.
  /// - Throws: `MapCacheError` for files that are none, have rows of another kind or key, rows of one image, or rows that are
  ///   not computed yet.
  public static func merge(_ paths: [String], to destination: String) throws(MapCacheError) -> Int {
    var parts: [(file: SafetensorsFile, rows: SafetensorsFile.Entry)] = []
    var names: [String] = []
    var owner: [ExactName: String] = [:]
    for path in paths {
      func refuse(_ reason: String) -> MapCacheError { .notACache(path: path, reason: reason) }
      let file: SafetensorsFile
      do { file = try SafetensorsFile(path: path) } catch { throw refuse("\(error)") }
      guard let rows = file.entries["features"], let status = file.entries["status"],
        let key = file.metadata["key"], let own = CachedRows.names(in: file), rows.shape.rank == 2,
        rows.shape[0] == own.count, status.typeName == "U8", status.shape == [own.count],
        file.entries["stamps"].map({ $0.typeName == "U64" && $0.shape == [own.count, 4] }) ?? true
      else { throw refuse("expected tensors features and status, and a key and names") }
      if let first = parts.first {
        let expected = first.file.metadata["key"] ?? ""
        guard key == expected else { throw .otherKey(path: path, expected: expected, found: key) }
        guard rows.shape[1] == first.rows.shape[1], rows.typeName == first.rows.typeName else {
          throw refuse(
            "expected features \(first.rows.typeName) of width \(first.rows.shape[1]), as in "
              + "\(first.file.path), found \(rows.typeName) of \(rows.shape[1])")
        }
      }
      let missing = file.bytes(of: status).count { $0 == Status.missing.rawValue }
      guard missing == 0 else {
        throw refuse("\(missing) of \(own.count) images are not computed yet; run its command again")
      }
      for name in own {
        if let other = owner.updateValue(path, forKey: ExactName(name)) {
          throw refuse("\(name) is in \(other) too; were they made of different shards?")
        }
      }
      names += own
      parts.append((file, rows))
    }
    guard let first = parts.first?.rows else { return 0 }
    // Stamps only where all have them: rows without are as good as their image is old.
    let tensors = ["stamps", "features", "status"].filter { name in
      parts.allSatisfy { $0.file.entries[name] != nil }
    }
    let sizes = [
      "stamps": ("U64", 8, 4), "features": (first.typeName, first.typeName == "F16" ? 2 : 4, first.shape[1]),
    ]
    do {
      let header = try SafetensorsHeader(
        packed: tensors.map { name in
          guard let (type, size, width) = sizes[name] else { return (name, "U8", 1, [names.count]) }
          return (name, type, size, [names.count, width])
        }, metadata: ["key": parts[0].file.metadata["key"] ?? "", "names": canonicalJSON(names)])
      try AtomicFile.write(to: destination) { output in
        try output.write(header.bytes)
        for name in tensors {
          for part in parts {
            guard let entry = part.file.entries[name] else { continue }
            try part.file.write(entry, to: &output)
          }
        }
      }
    } catch let error as FileError {
      throw .file(error)
    } catch {
      throw .file(FileError(path: destination, action: "write", reason: "\(error)"))
    }
    return names.count
  }
}

extension SafetensorsFile {
  /// Writes a tensor's bytes, a piece at a time.
  fileprivate func write(_ entry: Entry, to output: inout AtomicFile) throws {
    let size = entry.byteCount
    for start in stride(from: 0, to: size, by: 1 << 24) {
      try output.write(bytes(start..<min(size, start + 1 << 24), of: entry))
    }
  }
}
