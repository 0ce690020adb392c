/// A B-tree of the second version, whose records are in all of its nodes: of links, attributes or chunks.
struct HDF5Tree2 {
  /// What its records are.
  let kind: Int
  /// Bytes of a record.
  let recordSize: Int
  private let bytes: HDF5Bytes
  private let depth: Int
  private let root: Node?
  /// At each level, how many bytes the numbers of records have that a node says of its children: of the child, and of all
  /// below it.
  private var counts: [(own: Int, all: Int)] = [(0, 0)]

  private struct Node {
    let place: Int
    let records: Int
  }

  init(at place: Int, of bytes: HDF5Bytes) throws(WeightFileError) {
    self.bytes = bytes
    var cursor = try bytes.cursor(at: place, "a tree")
    try cursor.signature("BTHD", version: 0)
    kind = try cursor.byte("the tree's kind")
    let nodeSize = try cursor.number("the nodes' size", size: 4)
    recordSize = try cursor.number("the records' size", size: 2)
    depth = try cursor.number("depth", size: 2)
    try cursor.skip(2, "tree")
    let address = try cursor.address("the root's address")
    let records = try cursor.number("records", size: 2)
    root = address.map { Node(place: $0, records: records) }
    guard recordSize > 0, depth <= 16, nodeSize >= 10 + recordSize else {
      throw cursor.malformed(
        "nodes that hold a record, 16 levels at most",
        "nodes of \(nodeSize) bytes, records of \(recordSize), \(depth) levels")
    }
    // The most records of a leaf, of which no other node has more, and of all nodes below one of a level.
    let most = (nodeSize - 10) / recordSize
    var all = most
    for level in 1..<(depth + 1) {
      counts.append((Self.bytes(for: most), level == 1 ? 0 : Self.bytes(for: all)))
      let pointer = bytes.addressSize + counts[level].own + counts[level].all
      let its = max(1, (nodeSize - 10 - pointer) / (recordSize + pointer))
      let (product, overflows) = all.multipliedReportingOverflow(by: its + 1)
      all = overflows || product > 1 << 56 ? 1 << 56 : product + its
    }
  }

  /// Bytes that a number up to `most` takes.
  private static func bytes(for most: Int) -> Int {
    max(1, (Int.bitWidth - most.leadingZeroBitCount + 7) / 8)
  }

  /// Calls `body` with every record, in order.
  func visit(_ body: (inout HDF5Cursor) throws(WeightFileError) -> Void) throws(WeightFileError) {
    if let root { try visit(root, level: depth, body) }
  }

  private func visit(
    _ node: Node, level: Int, _ body: (inout HDF5Cursor) throws(WeightFileError) -> Void
  ) throws(WeightFileError) {
    var cursor = try bytes.cursor(at: node.place, "a tree's node")
    try cursor.signature(level == 0 ? "BTLF" : "BTIN", version: 0)
    let kind = try cursor.byte("the node's kind")
    guard kind == self.kind else { throw cursor.malformed("a node of kind \(self.kind)", "\(kind)") }
    let records = try cursor.range(node.records * recordSize, "records")
    for number in 0...node.records {
      if level > 0 {
        try bytes.spend(bytes.addressSize, at: cursor.place)
        let place = try cursor.address("a node's address")
        let count = try cursor.number("a node's records", size: counts[level].own)
        try cursor.skip(counts[level].all, "records")
        guard let place, count <= 0xFFFF else { throw cursor.malformed("a node of few records", "\(count)") }
        try visit(Node(place: place, records: count), level: level - 1, body)
      }
      guard number < node.records else { continue }
      var record = try bytes.cursor(
        at: records.lowerBound + number * recordSize, count: recordSize, "a record")
      try body(&record)
    }
  }
}
