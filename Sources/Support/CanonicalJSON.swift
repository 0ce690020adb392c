internal import Foundation

/// In what JSON of ours may differ.
public struct JSONStyle: OptionSet, Sendable {
  /// The options as bits.
  public let rawValue: Int

  /// Options as bits.
  public init(rawValue: Int) { self.rawValue = rawValue }

  /// Over several lines, for people.
  public static let indented = JSONStyle(rawValue: 1)
  /// Keys of declared types, `likeThis`, become `like_this`.
  public static let snakeCase = JSONStyle(rawValue: 2)
  /// Numbers that are not finite become `"Infinity"`, `"-Infinity"` and `"NaN"`; without it they are an error.
  public static let nonFinite = JSONStyle(rawValue: 4)
}

/// JSON as every file and output of ours has it: keys sorted, slashes as they are, on one line. Equal values give equal
/// text.
/// - Throws: `EncodingError`.
public func canonicalJSON(_ value: some Encodable, _ style: JSONStyle = []) throws -> String {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
  if style.contains(.indented) { encoder.outputFormatting.insert(.prettyPrinted) }
  if style.contains(.snakeCase) { encoder.keyEncodingStrategy = .convertToSnakeCase }
  if style.contains(.nonFinite) {
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
  }
  return String(decoding: try encoder.encode(value), as: UTF8.self)
}

/// The same of a dictionary or list as `JSONSerialization` reads them.
/// - Throws: an error of Foundation's when it holds what is no JSON.
public func canonicalJSON(object: Any) throws -> String {
  let data = try JSONSerialization.data(
    withJSONObject: object, options: [.sortedKeys, .withoutEscapingSlashes])
  return String(decoding: data, as: UTF8.self)
}
