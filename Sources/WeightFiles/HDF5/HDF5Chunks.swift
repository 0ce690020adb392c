internal import Support
internal import Tensors

/// The chunks of a dataset: blocks of one extent on a grid.
struct HDF5Chunks: Sendable {
  /// A chunk that was written.
  private struct Chunk {
    let place: Int
    /// Bytes in the file.
    let size: Int
    let mask: UInt32
  }

  /// The extents of a chunk.
  let extents: [Int]
  private let shape: Shape
  private let elementSize: Int
  private let filters: HDF5Filters
  /// Chunks in each dimension.
  private let grid: [Int]
  /// Those that were written, by their place on the grid in row-major order.
  private var chunks: [Int: Chunk] = [:]
  /// Whether chunks that reach beyond the edge are as they are.
  private var keepsEdges = false

  /// Bytes of a chunk.
  private var chunkSize: Int { extents.reduce(elementSize, *) }

  /// Reads the rest of the layout message, and the index that it names.
  init(
    _ cursor: inout HDF5Cursor, version: Int, shape: Shape, elementSize: Int, _ filters: HDF5Filters
  ) throws(WeightFileError) {
    self.shape = shape
    self.elementSize = elementSize
    self.filters = filters
    let flags = version > 3 ? try cursor.byte("flags") : 0
    keepsEdges = flags & 1 != 0
    // The last is the element.
    let rank = try cursor.byte("the chunks' rank")
    guard rank == shape.rank + 1, rank > 1 else {
      throw cursor.malformed("chunks of \(shape.rank + 1) extents for a shape of \(shape)", "\(rank)")
    }
    var root = version == 3 ? try cursor.address("the index of chunks") : nil
    let width = version == 3 ? 4 : try cursor.byte("the size of extents")
    var extents: [Int] = []
    var size = 1
    for _ in 0..<rank {
      let extent = try cursor.number("a chunk's extent", size: width)
      let (product, overflows) = size.multipliedReportingOverflow(by: extent)
      guard extent > 0, !overflows, product <= UInt32.max else {
        throw cursor.malformed("chunks of at least one element and less than 4 GiB", "\(extents + [extent])")
      }
      size = product
      extents.append(extent)
    }
    guard extents.removeLast() == elementSize else {
      throw cursor.malformed("chunks of elements of \(elementSize) bytes", "others")
    }
    self.extents = extents
    grid = zip(shape.dimensions, extents).map { ($0 + $1 - 1) / $1 }
    if version == 3 {
      if let root { try readTree(root, cursor.bytes) }
      return
    }
    let kind = try cursor.byte("the kind of index")
    switch kind {
    case 1:
      let isFiltered = flags & 2 != 0
      let packed = isFiltered ? try cursor.length("the chunk's size") : size
      let mask = isFiltered ? UInt32(try cursor.number("the chunk's mask", size: 4)) : 0
      root = try cursor.address("the chunk")
      if let root { try add(Chunk(place: root, size: packed, mask: mask), at: 0, cursor) }
    case 2:
      root = try cursor.address("the chunks")
      if let root { try addAll(from: root, cursor) }
    case 3:
      try cursor.skip(1, "index")
      root = try cursor.address("the index of chunks")
      if let root { try readArray(root, cursor.bytes) }
    case 4:
      throw cursor.refused(
        "chunks indexed by an extensible array are not read; written without libver='latest' they are")
    case 5:
      try cursor.skip(6, "index")
      root = try cursor.address("the index of chunks")
      if let root { try readTree2(root, cursor.bytes) }
    default: throw cursor.malformed("an index of chunks of kind 1 to 5", "\(kind)")
    }
  }

  /// Adds a chunk that was written.
  private mutating func add(
    _ chunk: Chunk, at number: Int?, _ cursor: HDF5Cursor
  ) throws(WeightFileError) {
    // Some that were written may be beyond the edge by now.
    guard let number else { return }
    let end = cursor.bytes.file.bytes.count
    guard chunk.place >= 0, chunk.place <= end, chunk.size <= end - chunk.place else {
      throw cursor.malformed(
        "a chunk within the file's \(end) bytes", "\(chunk.size) bytes at byte \(chunk.place)")
    }
    chunks[number] = chunk
  }

  /// The number on the grid of a chunk by its first element, or by its own place there; nil: beyond the edge.
  private func number(
    _ cursor: inout HDF5Cursor, scaled: Bool
  ) throws(WeightFileError) -> Int? {
    var number: Int? = 0
    for (extent, count) in zip(extents, grid) {
      let place = try cursor.number("a chunk's place", size: 8)
      guard scaled || place % extent == 0 else {
        throw cursor.malformed("a chunk's place on its grid", "\(place)")
      }
      let index = scaled ? place : place / extent
      // Below 2⁵² in all, as the shape is.
      number = index < count ? number.map { $0 * count + index } : nil
    }
    return number
  }

  /// A tree of the first version.
  private mutating func readTree(_ root: Int, _ bytes: HDF5Bytes) throws(WeightFileError) {
    try HDF5Tree1(bytes, keySize: 8 + 8 * (extents.count + 1), kind: 1).visit(root) {
      (key, place) throws(WeightFileError) in
      let size = try key.number("the chunk's size", size: 4)
      let mask = UInt32(try key.number("the chunk's mask", size: 4))
      let number = try number(&key, scaled: false)
      try add(Chunk(place: place, size: size, mask: mask), at: number, key)
    }
  }

  /// A tree of the second version: datasets that may grow in several dimensions.
  private mutating func readTree2(_ root: Int, _ bytes: HDF5Bytes) throws(WeightFileError) {
    let tree = try HDF5Tree2(at: root, of: bytes)
    let width = tree.recordSize - bytes.addressSize - 4 - 8 * extents.count
    try tree.visit { (record) throws(WeightFileError) in
      let place = try record.address("the chunk")
      let isFiltered = tree.kind == 11
      let size = isFiltered ? try record.number("the chunk's size", size: width) : chunkSize
      let mask = isFiltered ? UInt32(try record.number("the chunk's mask", size: 4)) : 0
      let number = try number(&record, scaled: true)
      if let place { try add(Chunk(place: place, size: size, mask: mask), at: number, record) }
    }
  }

  /// All chunks one after the other.
  private mutating func addAll(from root: Int, _ cursor: HDF5Cursor) throws(WeightFileError) {
    let end = cursor.bytes.file.bytes.count
    let count = grid.reduce(1, *)
    guard root <= end, count <= (end - root) / chunkSize else {
      throw cursor.malformed("\(count) chunks within the file's \(end) bytes", "fewer")
    }
    for number in 0..<count {
      try add(Chunk(place: root + number * chunkSize, size: chunkSize, mask: 0), at: number, cursor)
    }
  }

  /// A fixed array: a chunk for every place on the grid.
  private mutating func readArray(_ root: Int, _ bytes: HDF5Bytes) throws(WeightFileError) {
    var cursor = try bytes.cursor(at: root, "an array of chunks")
    try cursor.signature("FAHD", version: 0)
    let isFiltered = try cursor.byte("the array's kind") == 1
    let entrySize = try cursor.byte("the entries' size")
    let bits = try cursor.byte("the pages' bits")
    let count = try cursor.length("entries")
    guard let place = try cursor.address("the entries") else { return }
    guard bits < 32, count == grid.reduce(1, *),
      entrySize == bytes.addressSize || isFiltered && entrySize > bytes.addressSize + 4
    else {
      throw cursor.malformed("an array of \(grid.reduce(1, *)) chunks", "\(count) of \(entrySize) bytes")
    }
    cursor = try bytes.cursor(at: place, "an array of chunks")
    try cursor.signature("FADB", version: 0)
    try cursor.skip(1 + bytes.addressSize, "array")
    let page = 1 << bits
    let isPaged = count > page
    let pages = isPaged ? (count + page - 1) / page : 1
    // Bit by bit, the highest first, which pages were written.
    let written = isPaged ? try cursor.range((pages + 7) / 8, "pages") : 0..<0
    if isPaged { try cursor.skip(4, "checksum") }
    for index in 0..<pages {
      let entries = min(page, count - index * page)
      let (size, overflows) = entries.multipliedReportingOverflow(by: entrySize)
      guard !overflows else { throw cursor.malformed("fewer chunks", "\(entries)") }
      let isWritten =
        !isPaged || bytes.file.bytes[written.lowerBound + index / 8] & 0x80 >> UInt8(index % 8) != 0
      let range = try cursor.range(size, "entries")
      if isPaged { try cursor.skip(4, "checksum") }
      guard isWritten else { continue }
      var entry = try bytes.cursor(at: range.lowerBound, count: range.count, "entries")
      for number in 0..<entries {
        let place = try entry.address("the chunk")
        let packed =
          isFiltered
          ? try entry.number("the chunk's size", size: entrySize - bytes.addressSize - 4) : chunkSize
        let mask = isFiltered ? UInt32(try entry.number("the chunk's mask", size: 4)) : 0
        if let place {
          try add(Chunk(place: place, size: packed, mask: mask), at: index * page + number, entry)
        }
      }
    }
  }

  /// Chunks of some rows: their numbers, in order.
  private func numbers(of rows: Range<Int>) -> Range<Int> {
    let row = grid.dropFirst().reduce(1, *)
    guard !rows.isEmpty else { return 0..<0 }
    return rows.lowerBound / extents[0] * row..<((rows.upperBound - 1) / extents[0] + 1) * row
  }

  /// Those of some rows that were written, by number.
  private func written(_ rows: Range<Int>) -> [(number: Int, chunk: Chunk)] {
    let numbers = numbers(of: rows)
    if numbers.count > chunks.count {
      return chunks.filter { numbers.contains($0.key) }.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }
    return numbers.compactMap { number in chunks[number].map { (number, $0) } }
  }

  /// The most bytes that the chunks of some rows can hold, in a file of a size.
  func mostBytes(of rows: Range<Int>, file: Int) -> Int {
    var plain = 0
    var packed = 0
    for (_, chunk) in written(rows) {
      if filters.isDeflated(chunk.mask) {
        packed = min(file, packed + chunk.size)
      } else {
        plain = min(file, plain + chunk.size)
      }
    }
    return plain + packed * HDF5Filters.mostOfDeflate
  }

  /// As `HDF5Storage.visit`.
  func visit(
    _ rows: Range<Int>, _ file: MappedFile,
    _ body: (UnsafeRawBufferPointer, Int, Int, Int) throws(WeightFileError) -> Void
  ) throws(WeightFileError) {
    var left = file.bytes.count
    for (number, chunk) in written(rows) {
      func damage(_ expected: String, _ found: String) -> WeightFileError {
        .malformed(path: file.path, place: "byte \(chunk.place)", expected: expected, found: found)
      }
      // Chunks don't overlap, so that all together are no more than the file.
      left -= chunk.size
      guard left >= 0 else { throw damage("chunks that do not overlap", "more than the file's bytes") }
      let origin = self.origin(number)
      let packed = UnsafeRawBufferPointer(rebasing: file.bytes[chunk.place..<chunk.place + chunk.size])
      let isBare = keepsEdges && reachesBeyond(origin)
      let unpacked: [UInt8]?
      do { unpacked = isBare ? nil : try filters.unpacked(packed, mask: chunk.mask, size: chunkSize) } catch {
        throw damage(error.expected, error.found)
      }
      let count = unpacked?.count ?? packed.count
      guard count == chunkSize else { throw damage("a chunk of \(chunkSize) bytes", "\(count)") }
      if let unpacked {
        try unpacked.withUnsafeBufferPointer { (memory) throws(WeightFileError) in
          try visit(origin, of: rows, UnsafeRawBufferPointer(memory), body)
        }
      } else {
        try visit(origin, of: rows, packed, body)
      }
    }
  }

  /// The first element of a chunk.
  private func origin(_ number: Int) -> [Int] {
    var rest = number
    var origin = [Int](repeating: 0, count: grid.count)
    for dimension in grid.indices.reversed() {
      origin[dimension] = rest % grid[dimension] * extents[dimension]
      rest /= grid[dimension]
    }
    return origin
  }

  private func reachesBeyond(_ origin: [Int]) -> Bool {
    origin.indices.contains { origin[$0] + extents[$0] > shape[$0] }
  }

  /// The runs of elements that a chunk shares with some rows.
  private func visit(
    _ origin: [Int], of rows: Range<Int>, _ memory: UnsafeRawBufferPointer,
    _ body: (UnsafeRawBufferPointer, Int, Int, Int) throws(WeightFileError) -> Void
  ) throws(WeightFileError) {
    let last = grid.count - 1
    // Of the chunk's elements in each dimension, those that are wanted.
    let wanted = origin.indices.map { dimension in
      let all = dimension == 0 ? rows : 0..<shape[dimension]
      return max(
        origin[dimension], all.lowerBound)..<min(origin[dimension] + extents[dimension], all.upperBound)
    }
    var index = wanted.map(\.lowerBound)
    while true {
      var source = 0
      var destination = 0
      for dimension in 0...last {
        source = source * extents[dimension] + index[dimension] - origin[dimension]
        destination =
          dimension == 0 ? index[0] - rows.lowerBound : destination * shape[dimension] + index[dimension]
      }
      try body(memory, source * elementSize, wanted[last].count, destination)
      // The next run.
      var dimension = last - 1
      while dimension >= 0 {
        index[dimension] += 1
        if index[dimension] < wanted[dimension].upperBound { break }
        index[dimension] = wanted[dimension].lowerBound
        dimension -= 1
      }
      if dimension < 0 { return }
    }
  }
}
