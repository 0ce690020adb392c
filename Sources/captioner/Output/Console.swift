import Foundation
import Imaging
import Support

/// Standard output for data, standard error for messages.
enum Console {
  /// Writes text to standard output at once.
  /// - Throws: `FileError` when it can't be written: a full disk, a closed pipe.
  static func write(_ text: String) throws { try write(Array(text.utf8)) }

  /// Writes bytes to standard output at once.
  /// - Throws: `FileError`, as for text.
  static func write(_ bytes: [UInt8]) throws {
    try bytes.withUnsafeBytes { try writeAll($0, to: STDOUT_FILENO, path: "standard output") }
  }

  /// Writes a line to standard output.
  static func print(_ line: String) throws { try write(line + "\n") }

  /// Writes a message to standard error, the program's name before it, on one line.
  static func complain(_ message: String) { note("captioner: \(oneLine(message))") }

  /// Text that may hold a path, without line breaks or what a terminal would obey, and no longer than people read.
  static func oneLine(_ text: String) -> String {
    let line = text.split(whereSeparator: \.isNewline).joined(separator: " ")
    let limit = 4_000
    guard line.unicodeScalars.count > limit else { return FileName.printable(line) }
    return FileName.printable("\(line.prefix(limit / 2)) … \(line.suffix(limit / 2))")
  }

  /// Writes a line to standard error; one that can't be written is lost.
  static func note(_ line: String) {
    writeToStandardError(line + "\n")
  }

  /// JSON of a value on one line, keys sorted; numbers that are not finite are strings.
  static func json(_ value: some Encodable) throws -> String {
    try canonicalJSON(value, .nonFinite)
  }

  /// A field of a CSV line (RFC 4180).
  static func csv(_ field: String) -> String {
    // By bytes: to Swift a carriage return and a line feed are one character.
    guard field.utf8.contains(where: { ",\"\n\r".utf8.contains($0) }) else { return field }
    return "\"" + field.replacingOccurrences(of: "\"", with: "\"\"") + "\""
  }

  /// A log-probability as people read it.
  static func logProb(_ value: Float) -> String { String(format: "%.2f", Double(value)) }

  /// A number between 0 and 1 as people read it.
  static func share(_ value: Double) -> String { String(format: "%.2f", value) }
}
