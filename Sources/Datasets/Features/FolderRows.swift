internal import Support
internal import Tensors
internal import WeightFiles

/// Features in a folder of NumPy's files, one an image and called after it: `.npy`, or `.npz` of one array, as
/// ImageCaptioning.pytorch's `prepro_feats.py` makes them.
struct FolderRows: FeatureRows {
  let names: [String]
  let shape: Shape
  private let folder: String
  private let files: [String]

  init(path: String) throws(FeatureFileError) {
    folder = path.hasSuffix("/") ? String(path.dropLast()) : path
    let found: [String]
    do { found = try FolderNames.of(path) } catch { throw .damaged("\(error)") }
    files = found.filter { $0.hasSuffix(".npy") || $0.hasSuffix(".npz") }
      .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    names = files.map { String($0.dropLast(4)) }
    guard let first = files.first else {
      throw FeatureFile.unexpected(path, "the folder", "files NAME.npy or NAME.npz", "none")
    }
    shape = try Self.array("\(folder)/\(first)").shape
  }

  func read(_ row: Int, into numbers: UnsafeMutablePointer<Float>) throws(FeatureFileError) {
    let path = "\(folder)/\(files[row])"
    let entry = try Self.array(path)
    guard entry.shape == shape else {
      throw FeatureFile.unexpected(path, "the file", "\(shape), as \(files[0]) has", "\(entry.shape)")
    }
    do {
      let tensor = try entry.read()
      tensor.withUnsafeBufferPointer { all in
        if let base = all.baseAddress { numbers.update(from: base, count: shape.count) }
      }
    } catch { throw FeatureFileError(error) }
  }

  private static func array(_ path: String) throws(FeatureFileError) -> NamedTensors.Entry {
    let file: NamedTensors?
    do { file = try NamedTensors.read(path: path) } catch { throw FeatureFileError(error) }
    guard let file, file.entries.count == 1 else {
      throw FeatureFile.unexpected(
        path, "the file", "an array of NumPy", file.map { "\($0.entries.count)" } ?? "none")
    }
    return file.entries[0]
  }
}
