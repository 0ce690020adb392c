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
  /// Epochs the run may take.
  let epochs: Int?

  /// Reads the text of a configuration.
  init(_ json: Data) {
    guard let configuration = try? TrainingConfiguration(json: json) else {
      all = []
      epochs = nil
      return
    }
    epochs = configuration.epochs
    all = TrainingSettings.all.compactMap { setting in
      setting.keys.first.map {
        Option(name: $0, value: setting.text(in: configuration), standard: setting.standardText)
      }
    }.sorted { $0.name < $1.name }
  }

  /// Those that are not at their default.
  var changed: [Option] { all.filter { $0.value != $0.standard } }

  /// The value of an option.
  subscript(name: String) -> String? { all.first { $0.name == name }?.value }
}
