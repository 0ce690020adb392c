/// A heap of many small objects: blocks that become larger row by row, and blocks of blocks.
struct HDF5FractalHeap {
  private let bytes: HDF5Bytes
  /// Bytes of an object's place and of its length in what names it, and of what names it.
  private let placeSize: Int
  private let lengthSize: Int
  private let nameSize: Int
  /// Blocks in a row.
  private let width: Int
  /// Bytes of a block of the first row, and of the largest that holds objects.
  private let smallest: Int
  private let largest: Int
  private let root: Int?
  /// Rows of the root; 0 where it holds objects itself.
  private let rows: Int

  init(at place: Int, of bytes: HDF5Bytes) throws(WeightFileError) {
    self.bytes = bytes
    var cursor = try bytes.cursor(at: place, "a heap")
    try cursor.signature("FRHP", version: 0)
    nameSize = try cursor.number("the names' size", size: 2)
    let filters = try cursor.number("filters", size: 2)
    _ = try cursor.byte("flags")
    let most = try cursor.number("the largest object", size: 4)
    // Huge objects, free space, and how much there is of each kind.
    try cursor.skip(10 * bytes.lengthSize + 2 * bytes.addressSize, "heap")
    width = try cursor.number("the table's width", size: 2)
    smallest = try cursor.length("the smallest block")
    largest = try cursor.length("the largest block")
    let bits = try cursor.number("the heap's bits", size: 2)
    try cursor.skip(2, "heap")
    root = try cursor.address("the root block")
    rows = try cursor.number("the root's rows", size: 2)
    guard filters == 0 else { throw cursor.refused("a heap of compressed names is not read") }
    func isPower(_ number: Int) -> Bool { number > 0 && number & (number - 1) == 0 }
    guard isPower(width), isPower(smallest), isPower(largest), smallest <= largest, largest <= 1 << 32,
      (8...64).contains(bits), rows <= 64
    else {
      throw cursor.malformed("a heap of blocks whose sizes double", "\(width), \(smallest), \(largest)")
    }
    placeSize = (bits + 7) / 8
    lengthSize = max(
      1, min((largest.trailingZeroBitCount + 7) / 8, (Int.bitWidth - most.leadingZeroBitCount + 7) / 8))
  }

  /// Reads the object that the next bytes name.
  func object(_ name: inout HDF5Cursor) throws(WeightFileError) -> HDF5Cursor {
    let start = name.place
    let kind = try name.byte("an object's name")
    guard kind & 0xF0 == 0 else {
      throw name.refused(
        "an object of a heap that is very small or very large (kind \(kind >> 4)) is not read")
    }
    let offset = try name.number("an object's place", size: placeSize)
    let length = try name.number("an object's length", size: lengthSize)
    try name.skip(max(0, nameSize - (name.place - start)), "an object's name")
    guard let root else { throw name.malformed("a heap with a block", "none") }
    let block = rows == 0 ? (place: root, offset: offset) : try block(of: offset, in: root, rows: rows, name)
    guard block.offset <= largest, length <= largest else {
      throw name.malformed("an object within its block", "\(length) bytes at byte \(offset)")
    }
    guard block.place <= bytes.file.bytes.count else {
      throw name.malformed("a block within the file", "none")
    }
    try bytes.spend(length, at: block.place)
    return try bytes.cursor(at: block.place + block.offset, count: length, "an object of a heap")
  }

  /// The block that holds a byte of the heap, and where in it.
  private func block(
    of offset: Int, in indirect: Int, rows: Int, _ name: HDF5Cursor
  ) throws(WeightFileError) -> (place: Int, offset: Int) {
    var offset = offset
    var size = smallest
    var index = 0
    for row in 0..<rows {
      if row > 1 { size *= 2 }
      // Beyond what any heap addresses.
      guard size <= 1 << 40 else { break }
      let bytesOfRow = size * width
      if offset < bytesOfRow {
        index += offset / size
        offset %= size
        var cursor = try bytes.cursor(at: indirect, "a block of blocks")
        try cursor.signature("FHIB", version: 0)
        try cursor.skip(bytes.addressSize + placeSize + index * bytes.addressSize, "blocks")
        guard let place = try cursor.address("a block") else {
          throw cursor.malformed("a block's address", "none")
        }
        if size <= largest { return (place, offset) }
        // A block of blocks has rows until it is full.
        let its = (size / (smallest * width)).trailingZeroBitCount + 1
        return try block(of: offset, in: place, rows: min(its, row), name)
      }
      offset -= bytesOfRow
      index += width
    }
    throw name.malformed("an object within the heap", "one beyond it")
  }
}
