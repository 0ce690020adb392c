/// An option of a run: all that there is to say of it, once. The command line, the JSON of `config.json`, the checks
/// and the pages follow from the declarations in `TrainingSettings`.
public struct Setting<Value: SettingValue>: StoredSetting {
  /// The heading it stands under.
  public let section: SettingSection
  /// Its name on the command line, without the dashes.
  public let name: String
  /// Its key in JSON, then earlier ones.
  public private(set) var keys: [String]
  /// A sentence of help.
  public let summary: String
  /// What stands for its value in help.
  public private(set) var placeholder = Value.placeholder
  /// Without what it does nothing.
  public private(set) var requirement: SettingRequirement?
  /// What it is unless it is set.
  public let standard: Value
  /// What it may be; nil: anything of its type.
  public private(set) var bounds: Bounds<Value>?
  /// Whether a run that has begun may go on with another value.
  public private(set) var continuation = SettingContinuation.fixed
  /// How it changes a run that does not keep it under a key of its own; nil: it is kept.
  private var change: (@Sendable (inout TrainingConfiguration, Value) -> Void)?

  /// An option.
  /// - Parameters:
  ///   - name: as on the command line, without the dashes: `batch-size`. In JSON it is `batch_size`.
  ///   - standard: what it is unless it is set.
  ///   - summary: a sentence for `--help`, which adds choices, bounds and default.
  public init(_ section: SettingSection, _ name: String, _ standard: Value, _ summary: String) {
    self.section = section
    self.name = name
    self.standard = standard
    self.summary = summary
    keys = [name.replacing("-", with: "_")]
  }

  /// Allows only these values.
  func within(_ bounds: Bounds<Value>) -> Self { with { $0.bounds = bounds } }

  /// Shows its value as `<placeholder>`.
  func placeholder(_ placeholder: String) -> Self { with { $0.placeholder = placeholder } }

  /// Has this key in JSON: with a dot in it, inside another object.
  func key(_ key: String) -> Self { with { $0.keys = [key] } }

  /// Had another key once, which files may still have.
  func formerly(_ key: String) -> Self { with { $0.keys.append(key) } }

  /// Has an effect only then.
  func only(_ requirement: SettingRequirement) -> Self { with { $0.requirement = requirement } }

  /// A run that has begun may go on with another value.
  func onResume(_ continuation: SettingContinuation) -> Self { with { $0.continuation = continuation } }

  /// Is no value of its own, but a change to others.
  func changing(_ change: @escaping @Sendable (inout TrainingConfiguration, Value) -> Void) -> Self {
    with {
      $0.change = change
      $0.keys = []
    }
  }

  private func with(_ edit: (inout Self) -> Void) -> Self {
    var copy = self
    edit(&copy)
    return copy
  }

  /// The default, for people.
  public var standardText: String { standard.text }
  /// Every text that there is.
  public var choices: [String] { Value.choices }
  /// Which values are allowed, in words.
  public var boundsText: String? { bounds?.text }
  /// How it is given on the command line.
  public var kind: SettingKind { standard is Bool ? .flag : Value.isList ? .list : .value }

  /// The option set to what was typed.
  public func assignment(_ arguments: [String]) -> SettingAssignment? {
    let values = arguments.compactMap(Value.init(setting:))
    guard values.count == arguments.count, let value = Value.joined(values) else { return nil }
    return SettingAssignment(self) { configuration in
      if let change { change(&configuration, value) } else { configuration[self] = value }
    }
  }

  /// Its value, for people.
  public func text(in configuration: TrainingConfiguration) -> String { configuration[self].text }

  /// Whether two configurations have the same value.
  public func isSame(in one: TrainingConfiguration, _ other: TrainingConfiguration) -> Bool {
    one[self] == other[self]
  }

  /// Why its value is not allowed.
  public func problem(in configuration: TrainingConfiguration) -> String? {
    let value = configuration[self]
    guard let bounds, !bounds.contains(value) else { return nil }
    return "--\(name): expected \(bounds.text), found \(value.text)"
  }

  func decode<Key>(
    from container: KeyedDecodingContainer<Key>, _ key: Key, into configuration: inout TrainingConfiguration
  ) throws { configuration[self] = try Value.decoded(from: container, key) }

  func encode<Key>(
    _ configuration: TrainingConfiguration, into container: inout KeyedEncodingContainer<Key>, _ key: Key
  ) throws { try container.encode(configuration[self], forKey: key) }
}
