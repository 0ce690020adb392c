internal import Support

/// A JSON list, an element a line.
enum JSONRows {
  /// Writes it, whole or not at all; numbers that are not finite are strings.
  static func write(_ rows: some Sequence<some Encodable>, to path: String) throws {
    let lines = try rows.map { try canonicalJSON($0, .nonFinite) }
    try AtomicFile.write(to: path) { try $0.write("[\n" + lines.joined(separator: ",\n") + "\n]\n") }
  }
}
