internal import Foundation
public import Kernels
internal import Layers
internal import Support
public import Tensors
internal import Training

/// The options of a run that trains a language model; kept as `config.json`.
public struct LanguageModelConfiguration: Codable, Sendable, Equatable {
  /// Text files to learn, one after the other.
  public var text: [String] = []
  /// Text files to validate on; none: the last `validationShare` of the text.
  public var validation: [String] = []
  /// The share of the text, at its end, that is validated on; 0: none.
  public var validationShare = 0.1
  /// What a text is a sequence of.
  public var unit = TextUnit.characters
  /// Characters or words seen less often become `<unk>`.
  public var minimumCount = 1
  /// Whether a model of characters has an id for others than it knows.
  public var unknown = true

  /// What the recurrent layers are made of.
  public var cell = CellName.lstm
  /// How many there are.
  public var layers = 1
  /// Whether layers above the first pass on h + what they read.
  public var residual = false
  /// H.
  public var hiddenSize = 128
  /// E; 0: which of V characters it is; nil: 0 for characters, H for words and for cells that read the embedding itself.
  public var embeddingSize: Int?
  /// The bias of the forget gates at first.
  public var forgetBias = 1.0
  /// The standard deviation of all weights at first; 0: each layer's own way.
  public var initialDeviation = 0.0

  /// Passes over the text, at most.
  public var epochs = 20
  /// Steps in all, at most; 0: as many as the epochs have.
  public var steps = 0
  /// Streams that are read side by side (B).
  public var batchSize = 32
  /// Tokens of a stream in a step, and so the steps that gradients go back (T).
  public var sequenceLength = 64
  /// Whether a step's loss is the sum over its tokens; else their mean.
  public var summedLoss = false
  /// How a gradient becomes a step.
  public var optimizer = OptimizerRule.adam()
  /// The step size, at its highest.
  public var learningRate = 2e-3
  /// Steps over which the learning rate rises.
  public var warmUp = 0
  /// How the learning rate falls.
  public var schedule = Schedule.constant
  /// What it is multiplied by when it falls.
  public var learningRateDecay = 0.95
  /// Steps between its falls.
  public var decayEvery = 1000
  /// The largest norm of the gradient; 0: any.
  public var clipNorm = 5.0
  /// The largest size of each of its numbers; 0: any.
  public var clipValues = 0.0
  /// Decay of the weights.
  public var weightDecay = 0.0
  /// Decay of the moving average of the weights that is validated and saved; 0: the weights themselves.
  public var averageDecay = 0.0
  /// Shares that are dropped: of what the lowest layer reads of an embedding, between layers, of the top layer's h.
  public var embeddingDropout = 0.0
  /// Between layers.
  public var layerDropout = 0.0
  /// Of the top layer's h.
  public var outputDropout = 0.0
  /// What large products multiply.
  public var arithmetic = Arithmetic.float32

  /// Steps between validations; 0: at the end of each epoch.
  public var validateEvery = 0
  /// Steps between lines of the log.
  public var logEvery = 100
  /// How the model file stores its scalars.
  public var precision = StoredType.float32
  /// Everything random follows from it.
  public var seed: UInt64 = 1

  /// The defaults.
  public init() {}

  /// How the learning rate falls.
  public enum Schedule: String, Codable, Sendable, CaseIterable {
    /// Not at all.
    case constant
    /// By a factor every so many steps, at once.
    case step
    /// As much in the same time, but smoothly.
    case exponential
    /// Along half a cosine to zero at the end of the run.
    case cosine
  }

  /// E of the run's network.
  var chosenEmbeddingSize: Int {
    embeddingSize ?? (unit == .words || cell.cell.directInput != nil ? hiddenSize : 0)
  }

  /// The model that a vocabulary gives.
  public func description(_ vocabulary: TextVocabulary) -> LanguageModelDescription {
    LanguageModelDescription(
      vocabulary, cell: cell, layers: layers, hiddenSize: hiddenSize, embeddingSize: chosenEmbeddingSize,
      isResidual: residual)
  }

  /// The learning rates of a run of so many steps.
  func learningRates(steps: Int) -> LearningRateSchedule {
    let curve: LearningRateSchedule.Curve =
      switch schedule {
      case .constant: .constant
      case .step: .step(factor: learningRateDecay, every: decayEvery)
      case .exponential: .exponential(factor: learningRateDecay, every: decayEvery)
      case .cosine: .cosine(steps: steps)
      }
    return LearningRateSchedule(learningRate: learningRate, curve, warmUp: warmUp, stopPatience: .max)
  }

  /// The first option that is out of range, as `--name: expected …, found …`; nil: all are right.
  public var problem: String? {
    func check<Value>(_ name: String, _ value: Value, _ expected: String, _ isRight: Bool) -> String? {
      isRight ? nil : "--\(name): expected \(expected), found \(value)"
    }
    func range(_ name: String, _ value: Int, _ range: ClosedRange<Int>) -> String? {
      check(name, value, "\(range.lowerBound) to \(range.upperBound)", range.contains(value))
    }
    func share(_ name: String, _ value: Double) -> String? {
      check(name, value, "at least 0 and less than 1", value >= 0 && Float(value) < 1)
    }
    func zeroOrMore(_ name: String, _ value: Double) -> String? {
      check(name, value, "0 or more", value >= 0 && Float(value).isFinite)
    }
    let problems = [
      share("validation-share", validationShare), range("min-count", minimumCount, 1...1 << 20),
      range("layers", layers, 1...LanguageModelDescription.most.layers),
      range("hidden-size", hiddenSize, 1...LanguageModelDescription.most.units),
      range("embedding-size", chosenEmbeddingSize, 0...LanguageModelDescription.most.units),
      check("forget-bias", forgetBias, "-100 to 100", abs(forgetBias) <= 100),
      check("initial-deviation", initialDeviation, "0 to 10", (0...10).contains(initialDeviation)),
      range("epochs", epochs, 1...1 << 20), range("steps", steps, 0...1 << 40),
      range("batch-size", batchSize, 1...1 << 14), range("sequence-length", sequenceLength, 1...1 << 14),
      check(
        "learning-rate", learningRate, "more than 0 and less than 10", learningRate > 0 && learningRate < 10),
      range("warm-up", warmUp, 0...1 << 40), range("decay-every", decayEvery, 1...1 << 40),
      check(
        "learning-rate-decay", learningRateDecay, "more than 0 and at most 1",
        learningRateDecay > 0 && learningRateDecay <= 1),
      zeroOrMore("clip-norm", clipNorm), zeroOrMore("clip-values", clipValues),
      check("weight-decay", weightDecay, "at least 0 and less than 1", weightDecay >= 0 && weightDecay < 1),
      share("average-decay", averageDecay), share("embedding-dropout", embeddingDropout),
      share("layer-dropout", layerDropout), share("output-dropout", outputDropout),
      range("validate-every", validateEvery, 0...1 << 40), range("log-every", logEvery, 1...1 << 40),
      optimizer.problem.map { "--optimizer: \($0)" }, arithmetic.problem.map { "--arithmetic: \($0)" },
    ]
    if let problem = problems.compactMap(\.self).first { return problem }
    if cell.cell.directInput != nil, chosenEmbeddingSize != hiddenSize {
      return
        "--embedding-size: expected \(hiddenSize), as --hidden-size, for cell \(cell.rawValue), a gate of "
        + "which reads the embedding itself, found \(chosenEmbeddingSize)"
    }
    if unit == .words, chosenEmbeddingSize == 0 {
      return "--embedding-size: expected 1 or more for words, found 0"
    }
    return nil
  }

  /// Options with which a run that has begun may go on with other values.
  private static let free: Set<String> = [
    "text", "validation", "epochs", "steps", "learning_rate", "warm_up", "schedule", "learning_rate_decay",
    "decay_every", "clip_norm", "clip_values", "weight_decay", "embedding_dropout", "layer_dropout",
    "output_dropout", "arithmetic", "log_every", "precision",
  ]

  /// The options in which a continuation differs from its run and may not, for people. (Texts count by their content.)
  func differences(from begun: LanguageModelConfiguration) throws -> [String] {
    let (now, then) = (try texts(), try begun.texts())
    return Set(now.keys).union(then.keys).subtracting(Self.free).sorted().filter { now[$0] != then[$0] }
      .map { "\($0): \(then[$0] ?? "none") then, \(now[$0] ?? "none") now" }
  }

  /// Each option's value as JSON.
  private func texts() throws -> [String: String] {
    let json = Data(try canonicalJSON(self, .snakeCase).utf8)
    let object = try JSONSerialization.jsonObject(with: json) as? [String: Any] ?? [:]
    return object.mapValues { value in
      (value as? [String: Any]).flatMap { try? canonicalJSON(object: $0) } ?? "\(value)"
    }
  }
}
