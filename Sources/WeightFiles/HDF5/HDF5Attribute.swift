internal import Support
internal import Tensors

/// What an attribute of a group or a dataset says.
public enum HDF5Attribute: Sendable, Equatable {
  /// Text, or a list of texts.
  case texts([String])
  /// Numbers.
  case numbers([Double])
  /// What is not read, such as a compound.
  case other(String)

  /// The text, where it is one.
  public var text: String? {
    if case .texts(let texts) = self, texts.count == 1 { texts[0] } else { nil }
  }

  /// For people: the text or the numbers, if they are few.
  var summary: String? {
    switch self {
    case .texts(let texts):
      texts.count <= 64 && texts.allSatisfy { $0.utf8.count <= 1024 } ? texts.joined(separator: ", ") : nil
    case .numbers(let numbers):
      numbers.count <= 16 ? numbers.map { "\($0)" }.joined(separator: ", ") : nil
    case .other: nil
    }
  }
}

/// Reads attributes of objects.
struct HDF5AttributeReader {
  let bytes: HDF5Bytes
  let texts: HDF5Texts

  /// Those of an object, by name. What one holds may be of a kind that is not read.
  func attributes(of header: HDF5ObjectHeader) throws(WeightFileError) -> [String: HDF5Attribute] {
    var all: [String: HDF5Attribute] = [:]
    for message in header.messages where message.type == .attribute && !message.isShared {
      var cursor = try message.cursor(of: bytes)
      try read(&cursor, into: &all)
    }
    guard var info = try header.cursor(.attributeInfo, of: bytes) else { return all }
    _ = try info.byte("version")
    let flags = try info.byte("flags")
    try info.skip(flags & 1 != 0 ? 2 : 0, "attributes")
    let heap = try info.address("the attributes' heap")
    let tree = try info.address("the attributes' tree")
    guard let heap, let tree else { return all }
    let objects = try HDF5FractalHeap(at: heap, of: bytes)
    try HDF5Tree2(at: tree, of: bytes).visit { (record) throws(WeightFileError) in
      do throws(WeightFileError) {
        var cursor = try objects.object(&record)
        try read(&cursor, into: &all)
      } catch .refused { return }
    }
    return all
  }

  /// Reads an attribute message.
  private func read(
    _ cursor: inout HDF5Cursor, into all: inout [String: HDF5Attribute]
  ) throws(WeightFileError) {
    let version = try cursor.byte("the attribute's version")
    guard (1...3).contains(version) else {
      throw cursor.malformed("an attribute of version 1 to 3", "\(version)")
    }
    let flags = try cursor.byte("flags")
    let sizes = (
      name: try cursor.number("the name's size", size: 2),
      type: try cursor.number("the type's size", size: 2),
      space: try cursor.number("the dataspace's size", size: 2)
    )
    if version == 3 { _ = try cursor.byte("characters") }
    func padded(_ size: Int) -> Int { version == 1 ? (size + 7) & ~7 : size }
    func part(_ size: Int, _ what: String) throws(WeightFileError) -> HDF5Cursor {
      let start = cursor.place
      try cursor.skip(padded(size), what)
      return try bytes.cursor(at: start, count: padded(size), what)
    }
    var nameCursor = try part(sizes.name, "name")
    let name = try nameCursor.text(sizes.name, "name")
    var typeCursor = try part(sizes.type, "datatype")
    var spaceCursor = try part(sizes.space, "dataspace")
    guard version == 1 || flags & 3 == 0 else {
      all[name] = .other("a type that several objects share")
      return
    }
    let type = try HDF5Type(&typeCursor)
    let count = try HDF5Dataspace.read(&spaceCursor).count
    if case .other(let kind, _) = type {
      all[name] = .other(kind)
      return
    }
    let size = type.size(bytes)
    guard count <= cursor.left / size else {
      throw cursor.malformed(
        "\(count) elements of \(size) bytes for attribute \(name.printable())", "\(cursor.left) bytes")
    }
    let start = cursor.place
    switch type {
    case .number(let scalar, let bigEndian):
      all[name] = .numbers(
        (0..<count).map {
          scalar.exactly(bytes.file.bytes, at: start + $0 * size, bigEndian: bigEndian).double
        })
    default:
      var list: [String] = []
      for index in 0..<count { list.append(try texts.text(type, bytes.file.bytes, at: start + index * size)) }
      all[name] = .texts(list)
    }
  }
}
