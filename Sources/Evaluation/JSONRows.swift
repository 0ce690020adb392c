internal import Foundation
internal import Support

/// A JSON list, an element a line.
enum JSONRows {
  /// Writes it, whole or not at all; numbers that are not finite are strings.
  static func write(_ rows: some Sequence<some Encodable>, to path: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
    let lines = try rows.map { String(decoding: try encoder.encode($0), as: UTF8.self) }
    try AtomicFile.write(to: path) { try $0.write("[\n" + lines.joined(separator: ",\n") + "\n]\n") }
  }
}
