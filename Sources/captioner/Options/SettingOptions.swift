import ArgumentParser
import Training

/// The options of a section of `TrainingSettings` on the command line. None has a line here: the argument parser finds
/// the properties of this type by reflection, and is shown the declarations instead.
struct SettingOptions<Section: OptionSection>: ParsableArguments {
  /// What was given, in the order of the declarations.
  let given: [SettingAssignment]

  init() { given = [] }

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: SettingName.self)
    given = try Section.settings.compactMap { setting in
      let key = SettingName(stringValue: setting.name)
      switch setting.kind {
      case .value:
        return try container.decode(Option<SettingAssignment?>.self, forKey: key).wrappedValue
      case .list:
        let texts = try container.decode(Option<[String]>.self, forKey: key).wrappedValue
        return texts.isEmpty ? nil : setting.assignment(texts)
      case .flag:
        let flag = try container.decode(Flag<Bool?>.self, forKey: key).wrappedValue
        return flag.flatMap { setting.assignment(["\($0)"]) }
      }
    }
  }
}

extension SettingOptions: CustomReflectable {
  var customMirror: Mirror {
    Mirror(self, children: Section.settings.map { (label: $0.name, value: Self.argument($0)) })
  }

  /// The option or flag as the argument parser declares them.
  private static func argument(_ setting: any AnySetting) -> Any {
    let name = NameSpecification.customLong(setting.name)
    let help = ArgumentHelp(
      "\(setting.help)", valueName: setting.placeholder,
      visibility: TrainOptions.rarelyUsed.contains(setting.name) ? .hidden : .default)
    switch setting.kind {
    case .value:
      return Option<SettingAssignment?>(name: name, help: help) { text in
        try assignment(of: setting, text)
      }
    case .list:
      return Option<[String]>(wrappedValue: [], name: name, parsing: .singleValue, help: help) { text in
        _ = try assignment(of: setting, text)
        return text
      }
    case .flag: return Flag<Bool?>(name: name, inversion: .prefixedNo, help: help)
    }
  }
}

/// What a text after an option means.
/// - Throws: `ValidationError` that says what is expected.
private func assignment(of setting: any AnySetting, _ text: String) throws -> SettingAssignment {
  if let assignment = setting.assignment([text]) { return assignment }
  let expected = setting.boundsText ?? "\(setting.choices.joined(separator: ", "))"
  throw ValidationError(expected.isEmpty ? "" : "expected \(expected)")
}

/// The name of an option as a key.
private struct SettingName: CodingKey {
  let stringValue: String
  var intValue: Int? { nil }

  init(stringValue: String) { self.stringValue = stringValue }
  init?(intValue: Int) { nil }
}

/// A section as a type, for an option group of its own.
protocol OptionSection {
  static var section: SettingSection { get }
}

extension OptionSection {
  static var settings: [any AnySetting] { TrainingSettings.all(in: section) }
}

enum DataSection: OptionSection { static let section = SettingSection.data }
enum BesideSection: OptionSection { static let section = SettingSection.beside }
enum ModelSection: OptionSection { static let section = SettingSection.model }
enum EncoderSection: OptionSection { static let section = SettingSection.encoder }
enum OptimisationSection: OptionSection { static let section = SettingSection.optimisation }
enum RegularisationSection: OptionSection { static let section = SettingSection.regularisation }
enum SamplingSection: OptionSection { static let section = SettingSection.sampling }
enum OutputSection: OptionSection { static let section = SettingSection.output }
