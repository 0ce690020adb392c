/// The objects of a group, by name.
struct HDF5Group {
  /// An object's name, and where its header is.
  struct Link {
    let name: String
    let place: Int
  }

  /// The links to objects of this file, in the file's order where it has one, else by name. Names that stand for other
  /// paths or files are left out.
  private(set) var links: [Link] = []

  /// Reads the group that a header describes; nil where it describes no group.
  init?(_ header: HDF5ObjectHeader, of bytes: HDF5Bytes) throws(WeightFileError) {
    let table = try header.cursor(.symbolTable, of: bytes)
    let info = try header.cursor(.linkInfo, of: bytes)
    guard table != nil || info != nil || header[.link] != nil else { return nil }
    if var table {
      let tree = try table.address("the group's tree")
      let heap = try table.address("the group's heap")
      if let tree, let heap { try readSymbols(tree: tree, heap: heap, of: bytes) }
    }
    for message in header.messages where message.type == .link {
      var cursor = try message.cursor(of: bytes)
      try append(&cursor)
    }
    if var info {
      _ = try info.byte("version")
      let flags = try info.byte("flags")
      try info.skip(flags & 1 != 0 ? 8 : 0, "links")
      let heap = try info.address("the links' heap")
      let tree = try info.address("the links' tree")
      if let heap, let tree { try readDense(tree: tree, heap: heap, of: bytes) }
    }
  }

  /// The old form: a tree of nodes of symbols, whose names are in a heap.
  private mutating func readSymbols(tree: Int, heap: Int, of bytes: HDF5Bytes) throws(WeightFileError) {
    var cursor = try bytes.cursor(at: heap, "a heap of names")
    try cursor.signature("HEAP", version: 0)
    try cursor.skip(3, "heap")
    let size = try cursor.length("the heap's size")
    _ = try cursor.length("the heap's free part")
    guard let start = try cursor.address("the names") else {
      throw cursor.malformed("an address of names", "none")
    }
    _ = try bytes.cursor(at: start, count: size, "names")
    let names = start..<start + size

    try HDF5Tree1(bytes, keySize: bytes.lengthSize, kind: 0).visit(tree) {
      (_, child) throws(WeightFileError) in
      var node = try bytes.cursor(at: child, "a node of symbols")
      try node.signature("SNOD", version: 1)
      _ = try node.byte("reserved")
      let count = try node.number("symbols", size: 2)
      for _ in 0..<count {
        try bytes.spend(24 + 2 * bytes.addressSize, at: node.place)
        let offset = try node.number("the name's place", size: bytes.addressSize)
        let object = try node.address("the object's header")
        let kind = try node.number("the kind of symbol", size: 4)
        try node.skip(20, "symbol")
        // 2: another path.
        guard kind != 2, let object else { continue }
        links.append(Link(name: try Self.name(at: offset, of: names, bytes, node), place: object))
      }
    }
  }

  /// A name in a heap, which ends with a zero.
  private static func name(
    at offset: Int, of names: Range<Int>, _ bytes: HDF5Bytes, _ cursor: HDF5Cursor
  ) throws(WeightFileError) -> String {
    guard offset < names.count else {
      throw cursor.malformed("a name within the heap's \(names.count) bytes", "byte \(offset)")
    }
    let rest = bytes.file.bytes[(names.lowerBound + offset)..<names.upperBound]
    let end = rest.prefix(HDF5File.longestPath + 1).firstIndex(of: 0) ?? rest.endIndex
    try bytes.spend(end - rest.startIndex, at: rest.startIndex)
    return String(decoding: rest[..<end], as: UTF8.self)
  }

  /// The newer form of many links: in a heap, found by a tree.
  private mutating func readDense(tree: Int, heap: Int, of bytes: HDF5Bytes) throws(WeightFileError) {
    let heap = try HDF5FractalHeap(at: heap, of: bytes)
    let known = links.count
    try HDF5Tree2(at: tree, of: bytes).visit { (record) throws(WeightFileError) in
      // A hash of the name, then where it is.
      try record.skip(4, "hash")
      var link = try heap.object(&record)
      try append(&link)
    }
    links[known...].sort { $0.name < $1.name }
  }

  /// Reads a link message.
  private mutating func append(_ cursor: inout HDF5Cursor) throws(WeightFileError) {
    let version = try cursor.byte("the link's version")
    guard version == 1 else { throw cursor.malformed("a link of version 1", "\(version)") }
    let flags = try cursor.byte("flags")
    let kind = flags & 8 != 0 ? try cursor.byte("the kind of link") : 0
    try cursor.skip((flags & 4 != 0 ? 8 : 0) + (flags & 0x10 != 0 ? 1 : 0), "link")
    let length = try cursor.number("the name's length", size: 1 << (flags & 3))
    let name = try cursor.text(length, "name")
    // Others name another path or file.
    guard kind == 0, let place = try cursor.address("the object's header") else { return }
    links.append(Link(name: name, place: place))
  }
}
