public import Foundation

extension TrainingConfiguration {
  /// Reads JSON, taking defaults for what is missing.
  /// - Throws: `DecodingError` for what is unknown or of another kind.
  public init(json: Data) throws {
    let whole = try Self.completed(Self.object(json))
    self = try JSONDecoder().decode(Self.self, from: JSONSerialization.data(withJSONObject: whole))
  }

  /// The options that are given, as an earlier version may have written them, and the defaults of the others.
  static func completed(_ given: [String: Any]) throws -> [String: Any] {
    try merged(object(JSONEncoder().encode(Self())), given, path: "")
  }

  private static func object(_ data: Data) throws -> [String: Any] {
    guard let object = try JSONSerialization.jsonObject(with: data) as? [String: Any] else {
      throw DecodingError.dataCorrupted(
        .init(codingPath: [], debugDescription: "expected an object of options"))
    }
    return object
  }

  private static func merged(
    _ defaults: [String: Any], _ given: [String: Any], path: String
  ) throws -> [String: Any] {
    var result = defaults
    for (key, value) in given {
      guard let known = defaults[key] else {
        throw DecodingError.dataCorrupted(
          .init(codingPath: [], debugDescription: "unknown option \(path)\(key)"))
      }
      // A rule's own options differ from another's: it comes whole.
      if let inner = known as? [String: Any], inner["rule"] == nil, let value = value as? [String: Any] {
        result[key] = try merged(inner, value, path: path + key + ".")
      } else if known is [Any], let one = value as? String {
        // Lists of files were single files once.
        result[key] = one.isEmpty ? [] : [one]
      } else {
        result[key] = value
      }
    }
    return result
  }
}
