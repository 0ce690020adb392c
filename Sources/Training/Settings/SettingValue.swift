internal import Foundation
public import Models
public import Datasets
public import Kernels
public import Layers
public import Tensors

/// What an option can be set to: text on the command line, JSON in a file.
public protocol SettingValue: Codable, Equatable, Sendable {
  /// Reads it as it is typed after an option; nil when the text makes no sense.
  init?(setting argument: String)
  /// The value for people.
  var text: String { get }
  /// Every text that there is; empty where there are too many.
  static var choices: [String] { get }
  /// What stands for a value in a list of options: `n`.
  static var placeholder: String { get }
  /// The value of a key in a JSON object.
  static func decoded<Key>(from container: KeyedDecodingContainer<Key>, _ key: Key) throws -> Self
  /// Whether it is a list, whose entries are typed one by one.
  static var isList: Bool { get }
  /// One value of those that were typed after one option, which are some.
  static func joined(_ values: [Self]) -> Self?
}

extension SettingValue {
  /// For people.
  public var text: String { "\(self)" }
  /// Every text that there is.
  public static var choices: [String] { [] }
  /// It is no list.
  public static var isList: Bool { false }
  /// The last.
  public static func joined(_ values: [Self]) -> Self? { values.last }

  /// The value of a key.
  public static func decoded<Key>(from container: KeyedDecodingContainer<Key>, _ key: Key) throws -> Self {
    try container.decode(Self.self, forKey: key)
  }
}

extension SettingValue where Self: RawRepresentable & CaseIterable, RawValue == String {
  /// The value that the text names.
  public init?(setting argument: String) { self.init(rawValue: argument) }
  /// For people.
  public var text: String { rawValue }
  /// Every text that there is.
  public static var choices: [String] { allCases.map(\.rawValue) }
  /// What stands for a value.
  public static var placeholder: String { "choice" }
}

extension Int: SettingValue {
  /// The value that the text names.
  public init?(setting argument: String) { self.init(argument) }
  /// What stands for a value.
  public static var placeholder: String { "n" }
}

extension UInt64: SettingValue {
  /// The value that the text names.
  public init?(setting argument: String) { self.init(argument) }
  /// What stands for a value.
  public static var placeholder: String { "n" }
}

extension Double: SettingValue {
  /// The value that the text names.
  public init?(setting argument: String) { self.init(argument) }
  /// What stands for a value.
  public static var placeholder: String { "number" }
}

extension String: SettingValue {
  /// The value that the text names.
  public init?(setting argument: String) { self = argument }
  /// For people.
  public var text: String { self }
  /// What stands for a value.
  public static var placeholder: String { "name" }
}

/// A flag: `--length-buckets` or `--no-length-buckets`.
extension Bool: SettingValue {
  /// The value that the text names.
  public init?(setting argument: String) { self.init(argument) }
  /// For people.
  public var text: String { self ? "yes" : "no" }
  /// What stands for a value.
  public static var placeholder: String { "" }
}

/// What an option can be given several of.
public protocol SettingListEntry: SettingValue {
  /// What stands for an entry in a list of options: `file`.
  static var entryPlaceholder: String { get }
  /// What a text alone stands for in a file: earlier versions wrote a list of one so, and an empty text for none.
  static func list(ofOne entry: Self) -> [Self]
}

extension String: SettingListEntry {
  /// Of an entry.
  public static var entryPlaceholder: String { "file" }
  /// The entry, unless it is empty.
  public static func list(ofOne entry: String) -> [String] { entry.isEmpty ? [] : [entry] }
}

extension Double: SettingListEntry {
  /// Of an entry.
  public static var entryPlaceholder: String { "number" }
  /// The entry.
  public static func list(ofOne entry: Double) -> [Double] { [entry] }
}

/// An option that is given once for each entry.
extension Array: SettingValue where Element: SettingListEntry {
  /// The entry that the text names.
  public init?(setting argument: String) {
    guard let entry = Element(setting: argument) else { return nil }
    self = [entry]
  }

  /// For people.
  public var text: String { map(\.text).joined(separator: ", ") }
  /// What stands for a value.
  public static var placeholder: String { Element.entryPlaceholder }
  /// It is one.
  public static var isList: Bool { true }
  /// All of them.
  public static func joined(_ values: [Self]) -> Self? { values.flatMap(\.self) }

  /// The value of a key.
  public static func decoded<Key>(from container: KeyedDecodingContainer<Key>, _ key: Key) throws -> Self {
    if let one = try? container.decode(Element.self, forKey: key) { return Element.list(ofOne: one) }
    return try container.decode(Self.self, forKey: key)
  }
}

extension ActivationName: SettingValue {}
extension Arithmetic: SettingValue {}
extension Attention.Comparison: SettingValue {}
extension CellName: SettingValue {}
extension ConditioningName: SettingValue {}
extension FeatureNormalizationName: SettingValue {}
extension Injection: SettingValue {}
extension LengthLimit.Rule: SettingValue {}
extension VGGArchitecture.Head: SettingValue {}

extension StoredType: SettingValue {
  /// The value that the text names.
  public init?(setting argument: String) {
    guard let found = Self.named.first(where: { $0.key == argument }) else { return nil }
    self = found.value
  }

  /// For people.
  public var text: String { Self.named.first { $0.value == self }?.key ?? rawValue }
  /// Every text that there is.
  public static var choices: [String] { named.map(\.key) }
  /// What stands for a value.
  public static var placeholder: String { "choice" }

  private static let named: KeyValuePairs<String, StoredType> = [
    "float16": .float16, "float32": .float32, "bfloat16": .bfloat16,
  ]
}

/// On the command line a rule's name, with the usual numbers; in JSON all its numbers. For people too, unless they are
/// the usual ones.
extension OptimizerRule: SettingValue {
  /// The value that the text names.
  public init?(setting argument: String) {
    guard let rule = Self.usual.first(where: { $0.name == argument }) else { return nil }
    self = rule
  }

  /// For people.
  public var text: String {
    if Self.usual.contains(self) { return name }
    return switch self {
    case .sgd(let momentum, let nesterov): "sgd, momentum \(momentum)" + (nesterov ? ", nesterov" : "")
    case .adagrad(let epsilon, let initial):
      "adagrad, epsilon \(epsilon)" + (initial == 0 ? "" : ", initial \(initial)")
    case .rmsprop(let smoothing, let epsilon): "rmsprop, smoothing \(smoothing), epsilon \(epsilon)"
    case .adam(let beta1, let beta2, let epsilon), .adamw(let beta1, let beta2, let epsilon):
      "\(name), beta1 \(beta1), beta2 \(beta2), epsilon \(epsilon)"
    }
  }

  /// Every text that there is.
  public static var choices: [String] { usual.map(\.name) }
  /// What stands for a value.
  public static var placeholder: String { "rule" }

  private static var usual: [OptimizerRule] { [.sgd(), .adagrad(), .rmsprop(), .adam(), .adamw()] }

  /// As on the command line and in JSON.
  var name: String {
    switch self {
    case .sgd: "sgd"
    case .adagrad: "adagrad"
    case .rmsprop: "rmsprop"
    case .adam: "adam"
    case .adamw: "adamw"
    }
  }
}
