internal import Foundation
internal import Training

/// A run's `config.json` beside the defaults.
struct RunOptions {
  /// An option: its name as in the file, its value and the default, both for people.
  struct Option: Equatable {
    let name, value, standard: String
  }

  /// All options, by name; empty if the file is missing or broken.
  let all: [Option]

  /// Reads the text of a configuration.
  init(_ json: Data) {
    let decoder = JSONDecoder()
    guard let given = try? decoder.decode(Value.self, from: json), case .object = given else {
      all = []
      return
    }
    let defaults =
      (try? JSONEncoder().encode(TrainingConfiguration())).flatMap {
        try? decoder.decode(Value.self, from: $0)
      }
    let standard = defaults?.flat ?? [:]
    all = standard.merging(given.flat) { $1 }.sorted { $0.key < $1.key }
      .map { Option(name: $0.key, value: $0.value, standard: standard[$0.key] ?? "") }
  }

  /// Those that are not at their default.
  var changed: [Option] { all.filter { $0.value != $0.standard } }

  /// Epochs the run may take.
  var epochs: Int? { self["epochs"].flatMap { Int($0) } }

  /// The value of an option.
  subscript(name: String) -> String? { all.first { $0.name == name }?.value }

  /// JSON of any kind.
  private enum Value: Decodable {
    case text(String), list([Value]), object([String: Value]), nothing

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let value = try? container.decode([String: Value].self) {
        self = .object(value)
      } else if let value = try? container.decode([Value].self) {
        self = .list(value)
      } else if let value = try? container.decode(Bool.self) {
        self = .text(value ? "yes" : "no")
      } else if let value = try? container.decode(Int.self) {
        self = .text("\(value)")
      } else if let value = try? container.decode(UInt64.self) {
        self = .text("\(value)")
      } else if let value = try? container.decode(Double.self) {
        self = .text(String(format: "%.6g", value))
      } else if let value = try? container.decode(String.self) {
        self = .text(value)
      } else {
        self = .nothing
      }
    }

    /// The options inside, as `scheduledSampling.curve`.
    var flat: [String: String] {
      guard case .object(let entries) = self else { return [:] }
      var result: [String: String] = [:]
      for (key, value) in entries {
        if case .object = value {
          for (inner, text) in value.flat { result["\(key).\(inner)"] = text }
        } else {
          result[key] = value.text
        }
      }
      return result
    }

    private var text: String {
      switch self {
      case .text(let text): text
      case .list(let values): values.map(\.text).joined(separator: ", ")
      case .object: flat.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: ", ")
      case .nothing: ""
      }
    }
  }
}
