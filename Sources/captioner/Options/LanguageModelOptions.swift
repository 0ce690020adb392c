public import ArgumentParser
import Kernels
public import LanguageModels
import Tensors
import Training

extension TextUnit: ExpressibleByArgument {}
extension LanguageModelConfiguration.Schedule: ExpressibleByArgument {}

/// What a text after an option means, as `train` reads it.
/// - Throws: `ValidationError` that says what is expected.
private func value<Value: SettingValue>(_ text: String) throws -> Value {
  if let value = Value(setting: text) { return value }
  throw ValidationError("expected \(Value.choices.joined(separator: ", "))")
}

/// The text that a language model learns.
struct LanguageModelTextOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Text to validate on; may be repeated; the end of the text unless given.", valueName: "file"))
  var validation: [String] = []
  @Option(
    help: ArgumentHelp("Share of the text, at its end, to validate on (default: 0.1).", valueName: "share"))
  var validationShare: Double?
  @Option(
    help: """
      characters (Unicode scalars, every one of them) or words (as captions have them: lower case, no punctuation, a \
      sentence a line) (default: characters).
      """) var unit: TextUnit?
  @Option(help: ArgumentHelp("Those seen less often become <unk> (default: 1).", valueName: "times"))
  var minCount: Int?
  @Flag(
    inversion: .prefixedNo,
    help: "Whether a model of characters has an id for those that it does not know (default: --unknown).")
  var unknown: Bool?
}

/// What its network is made of: options as `train` has them.
struct LanguageModelNetworkOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "What the recurrent layers are made of: \(CellName.allCases.map(\.rawValue).joined(separator: ", ")) (default: lstm).",
      valueName: "cell"), transform: value) var cell: CellName?
  @Option(help: ArgumentHelp("Recurrent layers on top of each other (default: 1).", valueName: "n"))
  var layers: Int?
  @Flag(inversion: .prefixedNo, help: "Layers above the first pass on h + what they read.") var residual:
    Bool?
  @Option(help: ArgumentHelp("Units of a recurrent layer (default: 128).", valueName: "n"))
  var hiddenSize: Int?
  @Option(
    help: ArgumentHelp(
      """
      Size of a character's or word's embedding; 0: the lowest layer reads which it is (default: 0 for characters, \
      --hidden-size for words and for cells that read the embedding itself).
      """, valueName: "n")) var embeddingSize: Int?
  @Option(help: ArgumentHelp("Bias of the forget gates at first (default: 1).", valueName: "bias"))
  var forgetBias: Double?
  @Option(
    help: ArgumentHelp(
      "All weights begin normal with this standard deviation; 0: each layer's own way (default: 0).",
      valueName: "deviation")) var initialDeviation: Double?
}

/// How it learns.
struct LanguageModelLearningOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Passes over the text, at most (default: 20).", valueName: "n")) var epochs: Int?
  @Option(
    help: ArgumentHelp("Steps in all, at most; 0: as many as the epochs have (default: 0).", valueName: "n"))
  var steps: Int?
  @Option(
    help: ArgumentHelp("Streams of the text that are read side by side (default: 32).", valueName: "n"))
  var batchSize: Int?
  @Option(
    help: ArgumentHelp(
      "Characters or words of a stream in a step: how far gradients go back (default: 64).", valueName: "n"))
  var sequenceLength: Int?
  @Flag(
    inversion: .prefixedNo,
    help:
      "A step's loss is the sum over its characters or words; else their mean (default: --no-summed-loss).")
  var summedLoss: Bool?
  @Option(
    help: ArgumentHelp(
      "How a gradient becomes a step: \(OptimizerRule.choices.joined(separator: ", ")) (default: adam).",
      valueName: "rule"), transform: value) var optimizer: OptimizerRule?
  @Option(
    help: ArgumentHelp("What adagrad's sums of squares begin with (default: 0).", valueName: "number"))
  var initialAccumulator: Double?
  @Option(help: ArgumentHelp("Learning rate at its highest (default: 0.002).", valueName: "rate"))
  var learningRate: Double?
  @Option(help: ArgumentHelp("Steps over which the learning rate rises (default: 0).", valueName: "steps"))
  var warmUp: Int?
  @Option(help: "How the learning rate falls (default: constant).")
  var schedule: LanguageModelConfiguration.Schedule?
  @Option(
    help: ArgumentHelp("Factor on the learning rate when it falls (default: 0.95).", valueName: "factor"))
  var learningRateDecay: Double?
  @Option(
    help: ArgumentHelp(
      "Steps between falls of the step and exponential schedules (default: 1000).", valueName: "steps"))
  var decayEvery: Int?
  @Option(help: ArgumentHelp("Largest norm of the gradient; 0: any (default: 5).", valueName: "norm"))
  var clipNorm: Double?
  @Option(
    help: ArgumentHelp(
      "Largest size of each number of the gradient, after --clip-norm; 0: any (default: 0).",
      valueName: "size")) var clipValues: Double?
  @Option(help: ArgumentHelp("Decay of the weights (default: 0).", valueName: "rate"))
  var weightDecay: Double?
  @Option(
    help: ArgumentHelp(
      "Decay of the moving average of the weights that is validated and saved; 0: none (default: 0).",
      valueName: "share")) var averageDecay: Double?
  @Option(help: ArgumentHelp("Dropout of the embedding (default: 0).", valueName: "share"))
  var embeddingDropout: Double?
  @Option(help: ArgumentHelp("Dropout of h between layers (default: 0).", valueName: "share"))
  var layerDropout: Double?
  @Option(help: ArgumentHelp("Dropout of h before the projection (default: 0).", valueName: "share"))
  var outputDropout: Double?
  @Option(help: "What large products multiply (default: float32).") var arithmetic: Arithmetic?
}

/// What a run leaves.
struct LanguageModelOutputOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Steps between validations; 0: the end of each epoch (default: 0).", valueName: "steps"))
  var validateEvery: Int?
  @Option(help: ArgumentHelp("Steps between lines of log.jsonl (default: 100).", valueName: "steps"))
  var logEvery: Int?
  @Option(
    help: ArgumentHelp(
      "How the model file stores numbers: \(StoredType.choices.joined(separator: ", ")) (default: float32).",
      valueName: "type"), transform: value) var precision: StoredType?
  @Option(help: ArgumentHelp("Everything random follows from it (default: 1).", valueName: "n"))
  var seed: UInt64?
}

/// All options of `language-model train` that a run keeps.
struct LanguageModelOptions: ParsableArguments {
  @OptionGroup(title: "Text") var text: LanguageModelTextOptions
  @OptionGroup(title: "Network") var network: LanguageModelNetworkOptions
  @OptionGroup(title: "Learning") var learning: LanguageModelLearningOptions
  @OptionGroup(title: "Validation and output") var output: LanguageModelOutputOptions

  /// Sets those that were given.
  /// - Throws: `UsageError` when one of them has no effect in the run that results.
  func apply(to configuration: inout LanguageModelConfiguration) throws {
    func set<Value>(_ path: WritableKeyPath<LanguageModelConfiguration, Value>, _ value: Value?) {
      if let value { configuration[keyPath: path] = value }
    }
    if !text.validation.isEmpty { configuration.validation = text.validation }
    set(\.validationShare, text.validationShare)
    set(\.unit, text.unit)
    set(\.minimumCount, text.minCount)
    set(\.unknown, text.unknown)
    set(\.cell, network.cell)
    set(\.layers, network.layers)
    set(\.residual, network.residual)
    set(\.hiddenSize, network.hiddenSize)
    if let size = network.embeddingSize { configuration.embeddingSize = size }
    set(\.forgetBias, network.forgetBias)
    set(\.initialDeviation, network.initialDeviation)
    set(\.epochs, learning.epochs)
    set(\.steps, learning.steps)
    set(\.batchSize, learning.batchSize)
    set(\.sequenceLength, learning.sequenceLength)
    set(\.summedLoss, learning.summedLoss)
    set(\.optimizer, learning.optimizer)
    set(\.learningRate, learning.learningRate)
    set(\.warmUp, learning.warmUp)
    set(\.schedule, learning.schedule)
    set(\.learningRateDecay, learning.learningRateDecay)
    set(\.decayEvery, learning.decayEvery)
    set(\.clipNorm, learning.clipNorm)
    set(\.clipValues, learning.clipValues)
    set(\.weightDecay, learning.weightDecay)
    set(\.averageDecay, learning.averageDecay)
    set(\.embeddingDropout, learning.embeddingDropout)
    set(\.layerDropout, learning.layerDropout)
    set(\.outputDropout, learning.outputDropout)
    set(\.arithmetic, learning.arithmetic)
    set(\.validateEvery, output.validateEvery)
    set(\.logEvery, output.logEvery)
    set(\.precision, output.precision)
    set(\.seed, output.seed)
    if let initial = learning.initialAccumulator, case .adagrad(let epsilon, _) = configuration.optimizer {
      configuration.optimizer = .adagrad(epsilon: epsilon, initial: initial)
    }
    if let idle = idleOption(configuration) { throw UsageError(description: "--\(idle)") }
  }

  /// An option that was given and does nothing beside the others, and with what it would.
  private func idleOption(_ configuration: LanguageModelConfiguration) -> String? {
    let isAdagrad = if case .adagrad = configuration.optimizer { true } else { false }
    let rules: [(given: Bool, name: String, isMet: Bool, needed: String)] = [
      (
        text.validationShare != nil, "validation-share", configuration.validation.isEmpty,
        "without --validation"
      ),
      (text.unknown != nil, "unknown", configuration.unit == .characters, "with --unit characters"),
      (network.residual != nil, "residual", configuration.layers > 1, "with --layers 2 or more"),
      (
        network.forgetBias != nil, "forget-bias", configuration.cell.cell.rememberingGate != nil,
        "for a cell with a forget gate"
      ),
      (
        learning.initialAccumulator != nil, "initial-accumulator", isAdagrad, "with --optimizer adagrad"
      ),
      (
        learning.learningRateDecay != nil, "learning-rate-decay",
        [.step, .exponential].contains(configuration.schedule), "with --schedule step or exponential"
      ),
      (
        learning.decayEvery != nil, "decay-every", [.step, .exponential].contains(configuration.schedule),
        "with --schedule step or exponential"
      ),
      (learning.layerDropout != nil, "layer-dropout", configuration.layers > 1, "with --layers 2 or more"),
    ]
    return rules.first { $0.given && !$0.isMet }.map { "\($0.name): has an effect only \($0.needed)" }
  }
}
