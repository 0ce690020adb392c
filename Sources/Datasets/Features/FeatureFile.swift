internal import Glibc
internal import Support
public import Tensors
internal import WeightFiles

/// Features of images by name, made by an encoder of any kind: a file that another program wrote, or
/// `captioner features`. They are read row by row.
///
/// A safetensors file is any of these:
/// - a tensor `features` (or the only one of two dimensions and more) [N, D], [N, R, D] or [N, h, w, D], F32, F16 or BF16,
///   with the images' names or ids in metadata `names` or `ids` (a JSON list), or ids in a tensor `ids`; a tensor `status`
///   U8 [N], as `captioner features` writes it, says with 1 which rows are there;
/// - a tensor an image, called as the image is, all of one shape.
///
/// NumPy's `.npz` archives and HDF5 files are laid out in the same two ways, with an array `names` or `ids`; of a folder of
/// NumPy's files each is an image's, and called after it.
public struct FeatureFile: Sendable {
  /// The path it was opened by.
  public let path: String
  /// What the images are called, a row each; none twice.
  public let names: [String]
  /// The numbers of an image: [D], or of its regions [R, D] or [h, w, D].
  public let shape: Shape
  let rows: any FeatureRows
  private let index: FeatureNames

  /// The widest features.
  public static let widest = 1 << 16

  /// Opens a file.
  /// - Throws: `FeatureFileError`.
  public init(path: String) throws(FeatureFileError) {
    try self.init(path: path, rows: Self.rows(path))
  }

  private static func rows(_ path: String) throws(FeatureFileError) -> any FeatureRows {
    var status = stat()
    if stat(FileName.path(path), &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
      return try FolderRows(path: path)
    }
    do {
      switch try WeightFormat.of(path: path) {
      case nil, .safetensors: break
      case .hdf5: return try HDF5Rows(path: path)
      default: if let file = try NamedTensors.read(path: path) { return try NamedRows(file) }
      }
    } catch let error as FeatureFileError {
      throw error
    } catch let error as WeightFileError {
      throw FeatureFileError(error)
    } catch {
      throw (error as? FileError).map { .file($0) } ?? .damaged("\(error)")
    }
    return try SafetensorsRows(path: path)
  }

  /// Rows of whatever kind.
  init(path: String, rows: any FeatureRows) throws(FeatureFileError) {
    self.path = path
    self.rows = rows
    names = rows.names
    shape = rows.shape
    guard !names.isEmpty else { throw Self.unexpected(path, "the file", "features of images", "none") }
    let extents = shape.dimensions
    guard (1...3).contains(extents.count), extents.allSatisfy({ $0 > 0 }), shape.last <= Self.widest,
      shape.count <= 1 << 26
    else {
      throw Self.unexpected(
        path, "the file", "[D], [regions, D] or [rows, columns, D] an image, D at most \(Self.widest)",
        "\(shape)")
    }
    var seen: Set<ExactName> = []
    for (row, name) in names.enumerated() where !seen.insert(ExactName(name)).inserted {
      throw Self.unexpected(path, "name \(row)", "each image once", "\(name) again")
    }
    index = FeatureNames(names)
  }

  /// Where the features of an image are; nil: there are none.
  /// - Throws: `FeatureFileError.ambiguous`.
  public func row(of image: NamedImage) throws(FeatureFileError) -> Int? {
    switch index.row(of: image) {
    case .none: return nil
    case .row(let row): return rows.isThere(row) ? row : nil
    case .ambiguous: throw .ambiguous(path: path, image: image.path)
    }
  }

  /// Copies the features of a row, `shape.count` numbers.
  /// - Throws: `FeatureFileError`.
  func read(_ row: Int, into numbers: UnsafeMutablePointer<Float>) throws(FeatureFileError) {
    try rows.read(row, into: numbers)
  }

  static func unexpected(
    _ path: String, _ place: String, _ expected: String, _ found: String
  ) -> FeatureFileError {
    .unexpected(path: path, place: place, expected: expected, found: found)
  }
}

/// Rows of features as a kind of file holds them.
protocol FeatureRows: Sendable {
  /// What the images are called, a row each.
  var names: [String] { get }
  /// The numbers of an image.
  var shape: Shape { get }
  /// Whether the file has what it makes room for.
  func isThere(_ row: Int) -> Bool
  /// Copies a row, `shape.count` numbers.
  func read(_ row: Int, into numbers: UnsafeMutablePointer<Float>) throws(FeatureFileError)
}

extension FeatureRows {
  func isThere(_ row: Int) -> Bool { true }
}

extension Shape {
  /// The innermost extent; 1 of a single number.
  fileprivate var last: Int { dimensions.last ?? 1 }
}
