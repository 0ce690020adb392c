internal import Support
internal import Synchronization
public import Tensors

/// A dataset of an HDF5 file: numbers or texts of a shape, read when they are asked for, all or some rows.
public struct HDF5Dataset: Sendable {
  /// Its path, `group/name`.
  public let name: String
  /// The extents; none for a single number, [0] where it has no elements at all.
  public let shape: Shape
  /// What it says of itself.
  public let attributes: [String: HDF5Attribute]
  let type: HDF5Type
  private let header: HDF5ObjectHeader
  private let bytes: HDF5Bytes
  /// Where its elements are, once that was asked for.
  private let storage: Found

  private final class Found: Sendable {
    let storage = Mutex<HDF5Storage?>(nil)
  }

  /// The dataset that a header describes; nil where it describes none.
  init?(
    name: String, _ header: HDF5ObjectHeader, attributes: [String: HDF5Attribute], of bytes: HDF5Bytes
  ) throws(WeightFileError) {
    guard header[.layout] != nil, header[.datatype] != nil,
      var space = try header.cursor(.dataspace, of: bytes)
    else { return nil }
    shape = try HDF5Dataspace.read(&space)
    if header[.datatype]?.isShared == true {
      type = .other("type that several objects share", size: 1)
    } else if var cursor = try header.cursor(.datatype, of: bytes) {
      type = try HDF5Type(&cursor)
    } else {
      return nil
    }
    self.name = name
    self.attributes = attributes
    self.header = header
    self.bytes = bytes
    storage = Found()
  }

  /// How elements are stored, as NumPy says it: `float32`, `>f4`, `S5`; `text` where it is of any length.
  public var typeName: String { type.name }

  /// Whether its elements are numbers.
  public var isNumeric: Bool { if case .number = type { true } else { false } }

  /// The extent of the first dimension; 1 of a single number.
  public var rowCount: Int { shape.rank == 0 ? 1 : shape[0] }

  /// How many rows lie together: reading that many at once takes no more time than one of them. A chunk's, or 1.
  public var rowsTogether: Int {
    get throws(WeightFileError) { try found().rowsTogether }
  }

  /// All numbers.
  /// - Throws: `WeightFileError` when they can't be read, or aren't numbers.
  public func read() throws(WeightFileError) -> Tensor {
    try read(rows: 0..<rowCount).reshaped(shape)
  }

  /// Some rows of the first dimension, and no others: [rows, …].
  /// - Parameter rows: within `rowCount`.
  /// - Throws: as the other.
  public func read(rows: Range<Int>) throws(WeightFileError) -> Tensor {
    guard case .number(let scalar, let bigEndian) = type else {
      throw refused("\(typeName), which is not read as numbers")
    }
    let storage = try found()
    try storage.checkExtent(of: rows, bytes)
    let extents = Shape([rows.count] + shape.dimensions.dropFirst())
    let fill = storage.fill?.withUnsafeBytes { scalar.number($0, at: 0, bigEndian: bigEndian) }
    var tensor = storage.isWhole ? Tensor(uninitialized: extents) : Tensor(repeating: fill ?? 0, extents)
    guard tensor.count > 0 else { return tensor }
    let scalars = tensor.mutablePointer()
    try storage.visit(rows, bytes) { (memory, place, count, destination) in
      scalar.read(memory, from: place, count: count, into: scalars + destination, bigEndian: bigEndian)
    }
    return tensor
  }

  /// All texts, in row-major order.
  /// - Throws: `WeightFileError` when they can't be read, or aren't texts.
  public func texts() throws(WeightFileError) -> [String] {
    switch type {
    case .text, .variableText: break
    case .number, .other: throw refused("\(typeName), which is not read as text")
    }
    let storage = try found()
    try storage.checkExtent(of: 0..<rowCount, bytes)
    let reader = HDF5Texts(bytes.again)
    let size = type.size(bytes)
    var texts = [String](repeating: "", count: shape.count)
    try storage.visit(0..<rowCount, bytes) { (memory, place, count, destination) throws(WeightFileError) in
      for index in 0..<count {
        texts[destination + index] = try reader.text(type, memory, at: place + index * size)
      }
    }
    return texts
  }

  private func found() throws(WeightFileError) -> HDF5Storage {
    if let known = storage.storage.withLock({ $0 }) { return known }
    if header[.externalFiles] != nil { throw refused("a dataset that is kept in other files is not read") }
    let found = try HDF5Storage(
      header, shape: shape, elementSize: type.size(bytes), name: name, of: bytes.again)
    storage.storage.withLock { $0 = found }
    return found
  }

  private func refused(_ reason: String) -> WeightFileError {
    .refused(path: bytes.file.path, place: name.printable(), reason: reason)
  }
}
