public import Foundation
internal import Support

/// In JSON: one object, keys in snake_case, those of scheduled sampling in an object of their own. Keys that are missing
/// take the defaults; camelCase ones, as earlier versions wrote them, are read.
extension TrainingConfiguration: Codable {
  /// Reads JSON.
  /// - Throws: `DecodingError` for what is unknown or of another kind.
  public init(json: Data) throws { self = try JSONDecoder().decode(Self.self, from: json) }

  /// Reads a file.
  /// - Throws: `TrainingError.configuration` naming the file and the option.
  public init(contentsOf path: String) throws(TrainingError) {
    self = try Self.decoded(Self.self, contentsOf: path)
  }

  /// Reads a file that holds options.
  /// - Throws: as `init(contentsOf:)`.
  static func decoded<Value: Decodable>(
    _ type: Value.Type, contentsOf path: String
  ) throws(TrainingError) -> Value {
    let data: Data
    do {
      let file = try FileContents(path: path, limit: 1 << 24)
      data = Data(file.bytes)
    } catch {
      throw .configuration("\(error)")
    }
    do { return try JSONDecoder().decode(type, from: data) } catch {
      throw .configuration("\(path): expected options of a run: \(reason(error))")
    }
  }

  private static func reason(_ error: any Error) -> String {
    let context: DecodingError.Context? =
      switch error as? DecodingError {
      case .typeMismatch(_, let context), .valueNotFound(_, let context), .keyNotFound(_, let context),
        .dataCorrupted(let context):
        context
      default: nil
      }
    guard let context else { return "\(error)" }
    if context.codingPath.isEmpty {
      switch error as? DecodingError {
      case .typeMismatch, .valueNotFound: return "expected a JSON object, found another value"
      default:
        if context.debugDescription.contains("not valid JSON") { return "found text that is not valid JSON" }
      }
    }
    let place = context.codingPath.map(\.stringValue).joined(separator: ".")
    return place.isEmpty ? context.debugDescription : "\(place): \(context.debugDescription)"
  }

  /// As JSON for `config.json`.
  public func json() throws -> String { try canonicalJSON(self, .indented) }

  /// Reads an object of options.
  /// - Throws: `DecodingError` naming a key that is unknown, or given twice, or whose value is of another kind.
  public init(from decoder: any Decoder) throws {
    self.init()
    var found: Set<String> = []
    try read(decoder.container(keyedBy: SettingKey.self), "", &found)
  }

  private mutating func read(
    _ container: KeyedDecodingContainer<SettingKey>, _ group: String, _ found: inout Set<String>
  ) throws {
    for key in container.allKeys.sorted(by: { $0.stringValue < $1.stringValue }) {
      let name = group + SettingKey.snakeCase(key.stringValue)
      // Where a run was begun: no option.
      if name == RunPlace.key { continue }
      func refusal(_ reason: String) -> DecodingError {
        .dataCorrupted(.init(codingPath: [], debugDescription: reason))
      }
      if let setting = TrainingSettings.list.first(where: { $0.keys.contains(name) }) {
        guard found.insert(setting.name).inserted else {
          throw refusal("option \(group)\(key.stringValue) is given twice")
        }
        try setting.decode(from: container, key, into: &self)
      } else if TrainingSettings.list.contains(where: { $0.keys.contains { $0.hasPrefix(name + ".") } }) {
        try read(container.nestedContainer(keyedBy: SettingKey.self, forKey: key), name + ".", &found)
      } else {
        let nearest = SettingKey.nearest(to: name, among: TrainingSettings.list.compactMap(\.keys.first))
        throw refusal(
          "unknown option \(group)\(key.stringValue)" + (nearest.map { "; the nearest is \($0)" } ?? ""))
      }
    }
  }

  /// Writes all options.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: SettingKey.self)
    var groups: [String: KeyedEncodingContainer<SettingKey>] = [:]
    for setting in TrainingSettings.list {
      guard let parts = setting.keys.first?.split(separator: ".").map(String.init) else { continue }
      if parts.count == 1 {
        try setting.encode(self, into: &container, SettingKey(parts[0]))
      } else {
        var group =
          groups[parts[0]]
          ?? container.nestedContainer(keyedBy: SettingKey.self, forKey: SettingKey(parts[0]))
        try setting.encode(self, into: &group, SettingKey(parts[1]))
        groups[parts[0]] = group
      }
    }
  }
}

/// Any key that there may be.
struct SettingKey: CodingKey {
  let stringValue: String
  var intValue: Int? { nil }

  init(_ name: String) { stringValue = name }
  init(stringValue: String) { self.init(stringValue) }
  init?(intValue: Int) { nil }

  /// `learningRate` as `learning_rate`; what is so already stays.
  static func snakeCase(_ name: String) -> String {
    var result = ""
    for character in name {
      if character.isUppercase && !result.isEmpty { result += "_" }
      result += character.lowercased()
    }
    return result
  }

  /// The name that takes the fewest changes, if they are few.
  static func nearest(to name: String, among names: [String]) -> String? {
    // Nothing that long is a slip of the finger.
    guard name.count <= 64 else { return nil }
    let distances = names.map { (name: $0, distance: distance(Array(name), Array($0))) }
    guard let best = distances.min(by: { $0.distance < $1.distance }) else { return nil }
    return best.distance <= max(2, name.count / 2) ? best.name : nil
  }

  /// Insertions, deletions and exchanges of characters that make one text the other (Levenshtein 1966).
  private static func distance(_ one: [Character], _ other: [Character]) -> Int {
    var row = Array(0...other.count)
    for (i, mine) in one.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for (j, theirs) in other.enumerated() {
        let exchanged = diagonal + (mine == theirs ? 0 : 1)
        diagonal = row[j + 1]
        row[j + 1] = min(exchanged, row[j] + 1, row[j + 1] + 1)
      }
    }
    return row[other.count]
  }
}
