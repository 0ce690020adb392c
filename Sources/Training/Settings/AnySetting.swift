/// A declared option, whatever its values are.
public protocol AnySetting: Sendable {
  /// The heading it stands under.
  var section: SettingSection { get }
  /// Its name on the command line, without the dashes.
  var name: String { get }
  /// Its key in JSON, then the keys that it had in earlier versions; none if it only changes other options.
  var keys: [String] { get }
  /// A sentence of help.
  var summary: String { get }
  /// What stands for its value in help.
  var placeholder: String { get }
  /// Without what it does nothing; nil: it always counts.
  var requirement: SettingRequirement? { get }
  /// The default, for people.
  var standardText: String { get }
  /// Every value that there is; empty where there are too many.
  var choices: [String] { get }
  /// Which values are allowed, in words; nil: any.
  var boundsText: String? { get }
  /// How it is given on the command line.
  var kind: SettingKind { get }
  /// Whether a run that has begun may go on with another value.
  var continuation: SettingContinuation { get }

  /// The option set to what was typed after it; nil when that makes no sense.
  func assignment(_ arguments: [String]) -> SettingAssignment?
  /// Its value in a configuration, for people.
  func text(in configuration: TrainingConfiguration) -> String
  /// Whether two configurations have the same value.
  func isSame(in one: TrainingConfiguration, _ other: TrainingConfiguration) -> Bool
  /// Why its value is not allowed, as `--name: expected …, found …`; nil when it is.
  func problem(in configuration: TrainingConfiguration) -> String?
}

extension AnySetting {
  /// The whole help: the sentence, and in brackets choices or bounds, and the default.
  public var help: String {
    var notes: [String] = []
    if let boundsText {
      notes.append(boundsText)
    } else if !choices.isEmpty {
      notes.append(choices.joined(separator: ", "))
    }
    if !standardText.isEmpty { notes.append("default: \(standardText)") }
    return notes.isEmpty ? summary : "\(summary) (\(notes.joined(separator: "; ")))"
  }

  /// Why it does nothing in a run with these options; nil when it counts.
  public func idleness(in configuration: TrainingConfiguration) -> String? {
    guard let requirement, !requirement.isMet(configuration) else { return nil }
    return "--\(name): has an effect only \(requirement.text)"
  }
}

/// An option whose value a configuration can keep.
protocol StoredSetting: AnySetting {
  /// Reads its value from the key of an object.
  func decode<Key>(
    from container: KeyedDecodingContainer<Key>, _ key: Key, into configuration: inout TrainingConfiguration
  ) throws
  /// Writes its value.
  func encode<Key>(
    _ configuration: TrainingConfiguration, into container: inout KeyedEncodingContainer<Key>, _ key: Key
  ) throws
}

/// How an option is given on the command line.
public enum SettingKind: Sendable {
  /// `--name value`.
  case value
  /// `--name value`, as often as there are values.
  case list
  /// `--name` or `--no-name`.
  case flag
}

/// Whether a run that has begun may go on with another value of an option.
public enum SettingContinuation: Sendable {
  /// No: data, weights or random choices would be those of another run.
  case fixed
  /// At any time: it decides how steps are taken from now on.
  case free
  /// Where no epoch is under way: it decides what an epoch's batches are.
  case betweenEpochs
  /// It says where something is or how it is read; what counts is what is found there.
  case byContent
}

/// A value that an option was given.
public struct SettingAssignment: Sendable {
  /// The option.
  public let setting: any AnySetting
  private let change: @Sendable (inout TrainingConfiguration) -> Void

  init(_ setting: any AnySetting, _ change: @escaping @Sendable (inout TrainingConfiguration) -> Void) {
    self.setting = setting
    self.change = change
  }

  /// Sets it.
  public func apply(to configuration: inout TrainingConfiguration) { change(&configuration) }
}

/// Without what an option does nothing.
public struct SettingRequirement: Sendable {
  /// In words, naming the other option: `with --optimizer sgd`.
  public let text: String
  /// Whether a run's options are so.
  public let isMet: @Sendable (TrainingConfiguration) -> Bool

  /// A rule.
  public init(_ text: String, _ isMet: @escaping @Sendable (TrainingConfiguration) -> Bool) {
    self.text = text
    self.isMet = isMet
  }
}

/// The headings that options stand under.
public enum SettingSection: String, Sendable, CaseIterable {
  case data = "Data"
  case beside = "Learning beside captions"
  case model = "Model"
  case encoder = "Convolutions that learn"
  case optimisation = "Optimisation"
  case regularisation = "Regularisation"
  case sampling = "Scheduled sampling and self-critical training"
  case output = "Validation and output"

  /// As people read it.
  public var title: String { rawValue }
}
