internal import Support
internal import Tensors

/// Where the elements of a dataset are.
struct HDF5Storage: Sendable {
  /// How they lie.
  enum Layout: Sendable {
    /// One after the other; nil: nowhere, for none was ever written.
    case contiguous(Range<Int>?)
    /// In blocks of an extent, which may be compressed.
    case chunked(HDF5Chunks)
  }

  private let layout: Layout
  /// The element that stands where none was written; nil: zeros.
  let fill: [UInt8]?
  private let shape: Shape
  private let elementSize: Int
  private let name: String

  init(
    _ header: HDF5ObjectHeader, shape: Shape, elementSize: Int, name: String, of bytes: HDF5Bytes
  ) throws(WeightFileError) {
    self.shape = shape
    self.elementSize = elementSize
    self.name = name
    fill = try Self.fill(header, elementSize, of: bytes)
    guard var cursor = try header.cursor(.layout, of: bytes) else {
      throw .malformed(
        path: bytes.file.path, place: name.printable(), expected: "a dataset's layout", found: "none")
    }
    let version = try cursor.byte("the layout's version")
    guard (3...5).contains(version) else {
      throw cursor.refused("a layout of version \(version), from before 2004 or not known yet, is not read")
    }
    let kind = try cursor.byte("the layout's kind")
    let (count, overflows) = shape.count.multipliedReportingOverflow(by: elementSize)
    guard !overflows else {
      throw cursor.malformed("elements that memory holds", "\(shape) of \(elementSize) bytes")
    }
    func checked(_ size: Int) throws(WeightFileError) {
      guard size == count else { throw cursor.malformed("\(count) bytes of \(name.printable())", "\(size)") }
    }
    switch kind {
    case 0:
      let size = try cursor.number("the data's size", size: 2)
      try checked(size)
      layout = .contiguous(try cursor.range(size, "data"))
    case 1:
      let place = try cursor.address("the data's address")
      let size = try cursor.length("the data's size")
      guard let place, size > 0 else {
        layout = .contiguous(nil)
        return
      }
      try checked(size)
      _ = try bytes.cursor(at: place, count: size, "the data of \(name.printable())")
      layout = .contiguous(place..<place + size)
    case 2:
      let filters = try HDF5Filters(header, elementSize: elementSize, of: bytes)
      layout = .chunked(
        try HDF5Chunks(&cursor, version: version, shape: shape, elementSize: elementSize, filters))
    case 3: throw cursor.refused("a virtual dataset, whose parts are in others, is not read")
    default: throw cursor.malformed("a layout of kind 0 to 3", "\(kind)")
    }
  }

  /// The element that stands where none was written.
  private static func fill(
    _ header: HDF5ObjectHeader, _ elementSize: Int, of bytes: HDF5Bytes
  ) throws(WeightFileError) -> [UInt8]? {
    guard let message = header[.fillValue], !message.isShared else { return nil }
    var cursor = try message.cursor(of: bytes)
    let version = try cursor.byte("the fill value's version")
    if version < 3 {
      try cursor.skip(2, "fill value")
      let isDefined = try cursor.byte("whether there is a fill value") != 0
      guard isDefined || version == 1 else { return nil }
    } else {
      guard try cursor.byte("flags") & 0x20 != 0 else { return nil }
    }
    guard cursor.left >= 4, try cursor.number("the fill value's size", size: 4) == elementSize else {
      return nil
    }
    return Array(bytes.file.bytes[try cursor.range(elementSize, "fill value")])
  }

  /// Rows that lie together.
  var rowsTogether: Int {
    if case .chunked(let chunks) = layout { max(1, chunks.extents[0]) } else { 1 }
  }

  /// Whether every element was written.
  var isWhole: Bool { if case .contiguous(.some) = layout { true } else { false } }

  /// Makes sure that some rows are not many more bytes than the file can hold.
  /// - Parameter rows: within the first extent.
  func checkExtent(of rows: Range<Int>, _ bytes: HDF5Bytes) throws(WeightFileError) {
    precondition(rows.lowerBound >= 0 && rows.upperBound <= (shape.rank == 0 ? 1 : shape[0]), "\(rows)")
    let size = rows.count * shape.dimensions.dropFirst().reduce(1, *) * elementSize
    let file = bytes.file.bytes.count
    let most: Int
    switch layout {
    case .contiguous(.some): return
    case .contiguous(nil): most = 0
    case .chunked(let chunks): most = chunks.mostBytes(of: rows, file: file)
    }
    guard size <= most + max(file, 1 << 20) else {
      throw .refused(
        path: bytes.file.path, place: name.printable(),
        reason: "its \(shape) elements are \(size) bytes, of which the file holds hardly any")
    }
  }

  /// Calls `body` with runs of elements: the memory in which they lie, where in it, how many, and which of the rows'
  /// elements, in row-major order, is the first.
  func visit(
    _ rows: Range<Int>, _ bytes: HDF5Bytes,
    _ body: (UnsafeRawBufferPointer, Int, Int, Int) throws(WeightFileError) -> Void
  ) throws(WeightFileError) {
    switch layout {
    case .contiguous(nil): return
    case .contiguous(let range?):
      let row = shape.dimensions.dropFirst().reduce(1, *)
      try body(bytes.file.bytes, range.lowerBound + rows.lowerBound * row * elementSize, rows.count * row, 0)
    case .chunked(let chunks): try chunks.visit(rows, bytes.file, body)
    }
  }
}
