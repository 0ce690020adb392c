internal import Foundation
internal import Support
internal import Tensors

/// Features in a safetensors file.
struct SafetensorsRows: FeatureRows {
  let names: [String]
  let shape: Shape
  /// One tensor of all rows.
  private let table: StoredTensor?
  /// A tensor a row.
  private let tensors: [StoredTensor]
  /// Which rows of a table are there; nil: all.
  private let statuses: [UInt8]?

  init(path: String) throws(FeatureFileError) {
    let file: SafetensorsFile
    do { file = try SafetensorsFile(path: path) } catch { throw Self.refusal(error) }
    func stored(_ name: String) throws(FeatureFileError) -> StoredTensor {
      do { return try file.stored(name) } catch { throw Self.refusal(error) }
    }
    let tables = file.entries.filter { $0.value.shape.rank >= 2 }.keys
    let name = file.entries["features"] != nil ? "features" : tables.count == 1 ? tables.first : nil
    let found = try Self.names(in: file)
    guard let name, let found else {
      guard file.entries["features"] == nil else {
        throw FeatureFile.unexpected(
          path, "metadata names", "a JSON list of the images that the rows of features are of", "none")
      }
      table = nil
      statuses = nil
      names = file.entries.keys.sorted()
      var tensors: [StoredTensor] = []
      for name in names { tensors.append(try stored(name)) }
      shape = tensors.first?.shape ?? []
      for (name, tensor) in zip(names, tensors) where tensor.shape != shape {
        throw FeatureFile.unexpected(path, name, "shape \(shape), as \(names[0]) has", "\(tensor.shape)")
      }
      self.tensors = tensors
      return
    }
    let table = try stored(name)
    let count = table.shape.dimensions.first ?? 0
    guard found.count == count else {
      throw FeatureFile.unexpected(path, "names", "\(count), one a row of \(name)", "\(found.count)")
    }
    statuses = file.entries["status"].flatMap { $0.typeName == "U8" ? file.bytes(of: $0) : nil }
    if let statuses, statuses.count != count {
      throw FeatureFile.unexpected(path, "status", "\(count), one a row of \(name)", "\(statuses.count)")
    }
    self.table = table
    tensors = []
    names = found
    shape = Shape(Array(table.shape.dimensions.dropFirst()))
  }

  func isThere(_ row: Int) -> Bool { statuses.map { $0[row] == MapCache.Status.done.rawValue } ?? true }

  func read(_ row: Int, into numbers: UnsafeMutablePointer<Float>) throws(FeatureFileError) {
    if let table {
      table.read(row * shape.count..<(row + 1) * shape.count, into: numbers)
    } else {
      tensors[row].read(0..<shape.count, into: numbers)
    }
  }

  /// The names or ids that a file gives its rows; nil: none.
  private static func names(in file: SafetensorsFile) throws(FeatureFileError) -> [String]? {
    for key in FeatureFile.nameKeys {
      guard let text = file.metadata[key] else { continue }
      guard let ids = try? JSONDecoder().decode([ImageID].self, from: Data(text.utf8)) else {
        throw FeatureFile.unexpected(
          file.path, "metadata \(key)", "a JSON list of names or ids",
          String(text.prefix(40)).debugDescription)
      }
      return ids.map(\.description)
    }
    for key in FeatureFile.nameKeys {
      guard let entry = file.entries[key] else { continue }
      let bytes = file.bytes(of: entry)
      switch (entry.typeName, entry.shape.rank) {
      case ("I64", 1): return integers(bytes, Int64.self)
      case ("I32", 1): return integers(bytes, Int32.self)
      default:
        throw FeatureFile.unexpected(
          file.path, key, "I64 or I32 [images]", "\(entry.typeName) \(entry.shape)")
      }
    }
    return nil
  }

  private static func integers<I: FixedWidthInteger>(_ bytes: [UInt8], _: I.Type) -> [String] {
    bytes.withUnsafeBytes { bytes in
      stride(from: 0, to: bytes.count, by: MemoryLayout<I>.size).map {
        String(I(littleEndian: bytes.loadUnaligned(fromByteOffset: $0, as: I.self)))
      }
    }
  }

  private static func refusal(_ error: SafetensorsError) -> FeatureFileError {
    if case .file(let error) = error { return .file(error) }
    return .damaged("\(error)")
  }
}
