internal import Support

/// What a safetensors file begins with: 8 bytes little-endian length, then JSON that says where each tensor lies, padded
/// with blanks so that the data begins on a 64-byte boundary.
public struct SafetensorsHeader: Sendable {
  /// A tensor's name, number format (as `F32`), extents and place, in bytes from the start of the data.
  public struct Entry: Sendable {
    /// The key.
    public let name: String
    /// The number format, as the file names it.
    public let typeName: String
    /// The extents.
    public let shape: Shape
    /// Where its bytes lie.
    public let range: Range<Int>
  }

  /// The tensors.
  public let entries: [Entry]
  /// The file's first bytes.
  public let bytes: [UInt8]

  /// A file's size: the header and the data up to the last tensor's end.
  public var fileSize: Int { bytes.count + (entries.map(\.range.upperBound).max() ?? 0) }

  /// Tensors that lie one after the other in the order given, each of `scalarSize` bytes a scalar.
  /// - Throws: an error of Foundation's when a string is no JSON.
  public init(
    packed tensors: [(name: String, typeName: String, scalarSize: Int, shape: Shape)],
    metadata: [String: String]
  ) throws {
    var offset = 0
    let entries = tensors.map { tensor in
      let end = offset + tensor.shape.count * tensor.scalarSize
      defer { offset = end }
      return Entry(
        name: tensor.name, typeName: tensor.typeName, shape: tensor.shape, range: offset..<end)
    }
    try self.init(entries, metadata: metadata)
  }

  /// Tensors that lie where their entries say.
  init(_ entries: [Entry], metadata: [String: String]) throws {
    self.entries = entries
    var header: [String: Any] = metadata.isEmpty ? [:] : ["__metadata__": metadata]
    for entry in entries {
      header[entry.name] = [
        "dtype": entry.typeName, "shape": entry.shape.dimensions,
        "data_offsets": [entry.range.lowerBound, entry.range.upperBound],
      ]
    }
    var json = Array(try canonicalJSON(object: header).utf8)
    json += [UInt8](repeating: UInt8(ascii: " "), count: (64 - (8 + json.count) % 64) % 64)
    bytes = withUnsafeBytes(of: UInt64(json.count).littleEndian, Array.init) + json
  }
}
