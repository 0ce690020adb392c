/// A captioner of the literature as options of a training run: the kind of its decoder and its sizes, as its paper or its
/// authors' program has them. What is not named (data, schedule, length of the run) is this program's.
public struct TrainingPreset: Sendable {
  /// As on the command line: `show-and-tell`.
  public let name: String
  /// Where it is from.
  public let source: String
  /// The options that it sets, in order, as they are typed.
  public let options: [Option]

  /// An option and its value.
  public struct Option: Sendable {
    /// Without dashes.
    public let name: String
    /// As typed.
    public let value: String
  }

  init(_ name: String, _ source: String, _ options: KeyValuePairs<String, String>) {
    self.name = name
    self.source = source
    self.options = options.map { Option(name: $0.key, value: $0.value) }
  }

  /// The preset of a name; nil: there is none.
  public init?(named name: String) {
    guard let found = Self.all.first(where: { $0.name == name }) else { return nil }
    self = found
  }

  /// Sets its options.
  public func apply(to configuration: inout TrainingConfiguration) {
    for option in options { Self.assignment(option)?.apply(to: &configuration) }
  }

  /// What an option becomes; nil where it is no option, or no value of it.
  static func assignment(_ option: Option) -> SettingAssignment? {
    TrainingSettings.all.first { $0.name == option.name }?.assignment([option.value])
  }

  /// What it sets, for people: `--layers 2 --image-layer 2`.
  public var text: String {
    options.map { option in
      switch option.value {
      case "true": "--\(option.name)"
      case "false": "--no-\(option.name)"
      default: "--\(option.name) \(option.value)"
      }
    }.joined(separator: " ")
  }

  /// All there are.
  public static let all = [
    TrainingPreset(
      "show-and-tell", "Vinyals et al. 2015, im2txt: the image is the first input of an LSTM",
      [
        "conditioning": "first-input", "embedding-size": "512", "hidden-size": "512",
        "embedding-dropout": "0.3", "output-dropout": "0.3", "feature-dropout": "0", "min-count": "4",
      ]),
    TrainingPreset(
      "neuraltalk", "Karpathy & Fei-Fei 2015, neuraltalk: the same with 256 units",
      [
        "conditioning": "first-input", "embedding-size": "256", "hidden-size": "256",
        "embedding-dropout": "0.5", "output-dropout": "0.5", "min-count": "5", "optimizer": "rmsprop",
        "learning-rate": "0.001", "batch-size": "100",
      ]),
    TrainingPreset(
      "neuraltalk2", "Karpathy 2015, neuraltalk2: the same with 512 units and Adam",
      [
        "conditioning": "first-input", "embedding-size": "512", "hidden-size": "512",
        "embedding-dropout": "0", "output-dropout": "0.5", "min-count": "5", "optimizer": "adam",
        "learning-rate": "0.0004",
      ]),
    TrainingPreset(
      "lrcn-1u", "Donahue et al. 2015, LRCN: an LSTM that sees the image at every step",
      ["injection": "everyStep", "layers": "1", "embedding-size": "1000", "hidden-size": "1000"]),
    TrainingPreset(
      "lrcn-2f", "Donahue et al. 2015, LRCN factored: two layers, of which the second sees the image",
      [
        "injection": "everyStep", "layers": "2", "image-layer": "2", "embedding-size": "1000",
        "hidden-size": "1000",
      ]),
    TrainingPreset(
      "m-rnn",
      "Mao et al. 2015: a rectified RNN of 256 units that reads words alone, and a multimodal layer of 512",
      [
        "conditioning": "multimodal", "cell": "irnn", "embedding-size": "256", "hidden-size": "256",
        "multimodal-size": "512",
      ]),
    TrainingPreset(
      "chen-zitnick",
      "Chen & Zitnick 2015: an RNN of 100 units and a visual memory of 100 that reconstructs the image",
      [
        "conditioning": "visual-memory", "cell": "rnn", "embedding-size": "100", "hidden-size": "100",
        "memory-size": "100", "reconstruction-weight": "1", "feature-dropout": "0",
      ]),
    TrainingPreset(
      "attend-and-tell", "Xu et al. 2015, soft attention over 14x14 regions",
      [
        "conditioning": "attention", "injection": "never", "initial-states": "true",
        "attention-gate": "true", "attention-penalty": "1", "region-grid": "fine", "embedding-size": "512",
        "hidden-size": "1000", "region-size": "512", "attention-size": "512",
      ]),
    TrainingPreset(
      "attend-and-tell-hard", "Xu et al. 2015, hard attention over 14x14 regions",
      [
        "conditioning": "hard-attention", "injection": "never", "initial-states": "true",
        "attention-sampling": "0.5", "attention-reward": "0.1", "attention-entropy": "0.002",
        "reward-baseline-decay": "0.9", "region-grid": "fine", "embedding-size": "512",
        "hidden-size": "1000", "region-size": "512", "attention-size": "512",
      ]),
    TrainingPreset(
      "top-down", "Anderson et al. 2018, two layers of which the first decides where to look",
      [
        "conditioning": "top-down", "injection": "never", "embedding-size": "1000", "hidden-size": "1000",
        "region-size": "512", "attention-size": "512",
      ]),
  ]
}
