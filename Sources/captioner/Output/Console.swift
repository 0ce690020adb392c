import Foundation
import Support

/// Standard output for data, standard error for messages.
enum Console {
  /// Writes text to standard output at once.
  /// - Throws: `FileError` when it can't be written: a full disk, a closed pipe.
  static func write(_ text: String) throws { try write(Array(text.utf8)) }

  /// Writes bytes to standard output at once.
  /// - Throws: `FileError`, as for text.
  static func write(_ bytes: [UInt8]) throws {
    if isTerminal { ProgressLine.makeRoom() }
    try bytes.withUnsafeBytes { try writeAll($0, to: STDOUT_FILENO, path: "standard output") }
  }

  /// Writes bytes to standard output as long as somebody reads it: for commands whose files matter more than what they print.
  /// - Throws: `FileError`, as `write`, but for a pipe that nobody reads.
  static func writeWhileRead(_ bytes: [UInt8]) throws {
    do { try withoutBrokenPipes { try write(bytes) } } catch let error as FileError where error.code == EPIPE
    {}
  }

  /// Whether standard output is the terminal that progress is shown on.
  private static let isTerminal = isatty(STDOUT_FILENO) == 1

  /// Writes a line to standard output.
  static func print(_ line: String) throws { try write(line + "\n") }

  /// Writes a message to standard error, the program's name before it, on one line of a sane length.
  static func complain(_ message: String) { note("captioner: \(oneLine(message))") }

  /// Text that may hold what comes from files, as one line that does nothing to a terminal.
  static func oneLine(_ text: String) -> String { text.shortened(to: 1200).printable() }

  /// Writes text to standard error, as lines that do nothing to a terminal; what can't be written is lost.
  static func note(_ text: String) {
    ProgressLine.makeRoom()
    writeToStandardError(text.printable(keepingLines: true) + "\n")
  }

  /// JSON of a value on one line, keys sorted; numbers that are not finite are strings.
  static func json(_ value: some Encodable) throws -> String {
    try canonicalJSON(value, .nonFinite).printableJSON
  }

  /// Text as a field of a CSV line (RFC 4180). Spreadsheets take what begins with one of `= + - @` for a formula: such
  /// text gets an apostrophe before it, as they write it themselves. What does something to a terminal is escaped; bytes of names that are no text stay.
  static func csv(text: String) -> String {
    let shown = text.printable(keepingBytes: true)
    return csv(shown.first.map("=+-@".contains) ?? false ? "'" + shown : shown)
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
