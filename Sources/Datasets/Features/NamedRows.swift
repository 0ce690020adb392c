internal import Support
internal import Tensors
internal import WeightFiles

/// Features in a file whose tensors have names, such as NumPy's `savez` writes: a tensor `features` (or another, if it is the
/// only one of two dimensions and more) of all rows beside `names` or `ids`, or a tensor an image. A tensor of all rows is
/// kept in memory.
struct NamedRows: FeatureRows {
  let names: [String]
  let shape: Shape
  private let table: Tensor?
  private let entries: [NamedTensors.Entry]

  init(_ file: NamedTensors) throws(FeatureFileError) {
    let found = try Self.names(in: file)
    let tables = file.entries.filter { $0.shape.rank >= 2 }
    let entry = file["features"] ?? (tables.count == 1 && found != nil ? tables.first : nil)
    guard let entry else {
      names = file.entries.map(\.name)
      shape = file.entries.first?.shape ?? []
      for entry in file.entries where entry.shape != shape {
        throw FeatureFile.unexpected(
          file.path, entry.name, "shape \(shape), as \(names[0]) has", "\(entry.shape)")
      }
      entries = file.entries
      table = nil
      return
    }
    guard let found else {
      throw FeatureFile.unexpected(
        file.path, "the file", "names or ids of the images that the rows of \(entry.name) are of", "none")
    }
    let count = entry.shape.dimensions.first ?? 0
    guard found.count == count else {
      throw FeatureFile.unexpected(
        file.path, "names", "\(count), one a row of \(entry.name)", "\(found.count)")
    }
    names = found
    shape = Shape(Array(entry.shape.dimensions.dropFirst()))
    entries = []
    do { table = try entry.read() } catch { throw FeatureFileError(error) }
  }

  func read(_ row: Int, into numbers: UnsafeMutablePointer<Float>) throws(FeatureFileError) {
    if let table {
      table.withUnsafeBufferPointer { all in
        guard let base = all.baseAddress else { return }
        numbers.update(from: base + row * shape.count, count: shape.count)
      }
      return
    }
    do {
      let tensor = try entries[row].read()
      tensor.withUnsafeBufferPointer { all in
        if let base = all.baseAddress { numbers.update(from: base, count: shape.count) }
      }
    } catch { throw FeatureFileError(error) }
  }

  /// The names or ids that a file gives its rows; nil: none.
  private static func names(in file: NamedTensors) throws(FeatureFileError) -> [String]? {
    for key in FeatureFile.nameKeys {
      if let texts = file.texts[key] { return texts }
      guard let entry = file[key], entry.shape.rank == 1 else { continue }
      let ids: Tensor
      do { ids = try entry.read() } catch { throw FeatureFileError(error) }
      return try FeatureFile.ids(ids, "\(file.path)", key)
    }
    return nil
  }
}

extension FeatureFile {
  /// What names and ids are called.
  static let nameKeys = ["names", "ids", "image_ids", "image_names", "file_names"]

  /// Ids that were read as floats.
  static func ids(_ numbers: Tensor, _ path: String, _ key: String) throws(FeatureFileError) -> [String] {
    var ids: [String] = []
    for number in numbers.scalars {
      guard number >= 0, number < 16_777_216, number.rounded() == number else {
        throw unexpected(path, key, "whole numbers below 16777216, or text", "\(number)")
      }
      ids.append(String(Int(number)))
    }
    return ids
  }
}

extension FeatureFileError {
  /// That another program's file can't be read.
  init(_ error: WeightFileError) {
    if case .file(let error) = error { self = .file(error) } else { self = .damaged("\(error)") }
  }
}
