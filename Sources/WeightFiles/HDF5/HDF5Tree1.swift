/// A B-tree of the first version: of a group's nodes of symbols, or of a dataset's chunks.
struct HDF5Tree1 {
  private let bytes: HDF5Bytes
  /// Bytes of a key.
  private let keySize: Int
  /// 0: groups; 1: chunks.
  private let kind: Int

  init(_ bytes: HDF5Bytes, keySize: Int, kind: Int) {
    self.bytes = bytes
    self.keySize = keySize
    self.kind = kind
  }

  /// Calls `body` with the key and the place of every child of the lowest nodes, from left to right.
  func visit(
    _ root: Int, _ body: (inout HDF5Cursor, Int) throws(WeightFileError) -> Void
  ) throws(WeightFileError) {
    try visit(root, level: nil, body)
  }

  /// - Parameter level: what the node above asks for, one less than its own: so there are no circles.
  private func visit(
    _ place: Int, level: Int?, _ body: (inout HDF5Cursor, Int) throws(WeightFileError) -> Void
  ) throws(WeightFileError) {
    var cursor = try bytes.cursor(at: place, "a tree's node")
    try cursor.signature("TREE", version: nil)
    let kind = try cursor.byte("the tree's kind")
    guard kind == self.kind else { throw cursor.malformed("a tree of kind \(self.kind)", "\(kind)") }
    let its = try cursor.byte("level")
    guard level == nil || its == level else {
      throw cursor.malformed("a node of level \(level ?? 0)", "level \(its)")
    }
    let count = try cursor.number("children", size: 2)
    try cursor.skip(2 * bytes.addressSize, "siblings")
    for _ in 0..<count {
      let key = try cursor.range(keySize, "a key")
      let child = try cursor.address("a child's address")
      guard let child else { throw cursor.malformed("a child's address", "none") }
      if its > 0 {
        try visit(child, level: its - 1, body)
      } else {
        var key = try bytes.cursor(at: key.lowerBound, count: key.count, "a key")
        try body(&key, child)
      }
    }
  }
}
