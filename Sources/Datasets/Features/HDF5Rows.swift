internal import Support
internal import Synchronization
internal import Tensors
internal import WeightFiles

/// Features in an HDF5 file: a dataset `features` (or another, if it is the only one of two dimensions and more) of all rows
/// beside `names` or `ids`, or a dataset an image. Rows are read as they are asked for.
struct HDF5Rows: FeatureRows {
  let names: [String]
  let shape: Shape
  private let table: HDF5Dataset?
  private let datasets: [HDF5Dataset]
  private let blocks: Blocks

  init(path: String) throws(FeatureFileError) {
    let file: HDF5File
    do { file = try HDF5File(path: path) } catch { throw FeatureFileError(error) }
    let numeric = file.datasets.filter(\.isNumeric)
    // Deflate makes nothing smaller than a thousandth; what is not there at all may be of any size.
    let most = max(1 << 20, 1100 * min(Int(FileStamp(ofFileAt: path)?.size ?? 0), 1 << 40))
    for dataset in numeric where dataset.shape.count > most {
      throw FeatureFile.unexpected(
        path, dataset.name, "at most \(most) numbers in a file of its size", "\(dataset.shape)")
    }
    let found = try Self.names(in: file)
    let tables = numeric.filter { $0.shape.rank >= 2 }
    let dataset =
      numeric.first { $0.name == "features" } ?? (tables.count == 1 && found != nil ? tables.first : nil)
    guard let dataset else {
      names = numeric.map(\.name)
      shape = numeric.first?.shape ?? []
      for dataset in numeric where dataset.shape != shape {
        throw FeatureFile.unexpected(
          path, dataset.name, "shape \(shape), as \(names[0]) has", "\(dataset.shape)")
      }
      datasets = numeric
      table = nil
      blocks = Blocks(rows: 1, most: 0)
      return
    }
    guard let found else {
      throw FeatureFile.unexpected(
        path, "the file", "names or ids of the images that the rows of \(dataset.name) are of", "none")
    }
    let count = dataset.shape.dimensions.first ?? 0
    guard found.count == count else {
      throw FeatureFile.unexpected(path, "names", "\(count), one a row of \(dataset.name)", "\(found.count)")
    }
    names = found
    shape = Shape(Array(dataset.shape.dimensions.dropFirst()))
    table = dataset
    datasets = []
    do {
      let together = max(1, min(count, try dataset.rowsTogether))
      blocks = Blocks(rows: together, most: Self.keptNumbers / max(1, together * shape.count))
    } catch { throw FeatureFileError(error) }
  }

  /// Numbers of blocks of rows that are kept in memory: what lies together is unpacked together.
  private static let keptNumbers = 1 << 26

  func read(_ row: Int, into numbers: UnsafeMutablePointer<Float>) throws(FeatureFileError) {
    do {
      let (tensor, place) = try table.map { try block(row, of: $0) } ?? (datasets[row].read(), 0)
      tensor.withUnsafeBufferPointer { all in
        if let base = all.baseAddress { numbers.update(from: base + place * shape.count, count: shape.count) }
      }
    } catch let error as WeightFileError {
      throw FeatureFileError(error)
    } catch {
      throw .damaged("\(error)")
    }
  }

  /// The rows that lie together with one, and its place among them.
  private func block(_ row: Int, of table: HDF5Dataset) throws(WeightFileError) -> (Tensor, Int) {
    let number = row / blocks.rows
    if let known = blocks[number] { return (known, row % blocks.rows) }
    let rows = number * blocks.rows..<min(names.count, (number + 1) * blocks.rows)
    let tensor = try table.read(rows: rows)
    blocks[number] = tensor
    return (tensor, row % blocks.rows)
  }

  /// The names or ids that a file gives its rows; nil: none.
  private static func names(in file: HDF5File) throws(FeatureFileError) -> [String]? {
    for key in FeatureFile.nameKeys {
      guard let dataset = file.datasets.first(where: { $0.name == key }), dataset.shape.rank == 1 else {
        continue
      }
      do {
        guard dataset.isNumeric else { return try dataset.texts() }
        return try FeatureFile.ids(dataset.read(), file.path, key)
      } catch let error as WeightFileError {
        throw FeatureFileError(error)
      } catch let error as FeatureFileError {
        throw error
      } catch {
        throw .damaged("\(error)")
      }
    }
    return nil
  }

  /// Blocks of rows that were read lately.
  private final class Blocks: Sendable {
    /// Rows of a block.
    let rows: Int
    private let most: Int
    private let kept = Mutex<(tensors: [Int: Tensor], order: [Int])>(([:], []))

    init(rows: Int, most: Int) {
      self.rows = rows
      self.most = max(1, most)
    }

    subscript(number: Int) -> Tensor? {
      get { kept.withLock { $0.tensors[number] } }
      set {
        kept.withLock { kept in
          if kept.tensors.updateValue(newValue!, forKey: number) == nil { kept.order.append(number) }
          if kept.order.count > most { kept.tensors[kept.order.removeFirst()] = nil }
        }
      }
    }
  }
}
