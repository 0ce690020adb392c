internal import Kernels

/// A language model of the literature as options of a run.
public struct LanguageModelPreset: Sendable {
  /// As on the command line.
  public let name: String
  /// Where it is from.
  public let source: String
  /// What it sets, as it would be typed.
  public let text: String
  private let change: @Sendable (inout LanguageModelConfiguration) -> Void

  /// The preset of a name; nil: there is none.
  public init?(named name: String) {
    guard let found = Self.all.first(where: { $0.name == name }) else { return nil }
    self = found
  }

  private init(
    _ name: String, _ source: String, _ text: String,
    _ change: @escaping @Sendable (inout LanguageModelConfiguration) -> Void
  ) {
    self.name = name
    self.source = source
    self.text = text
    self.change = change
  }

  /// Sets its options.
  public func apply(to configuration: inout LanguageModelConfiguration) { change(&configuration) }

  /// All there are.
  public static let all = [
    LanguageModelPreset(
      "min-char-rnn", "Karpathy 2015, gist d4dee566867f8291f086",
      "--cell rnn --layers 1 --hidden-size 100 --embedding-size 0 --no-unknown --initial-deviation 0.01 "
        + "--batch-size 1 --sequence-length 25 --summed-loss --optimizer adagrad --initial-accumulator 1e-8 "
        + "--learning-rate 0.1 --clip-norm 0 --clip-values 5"
    ) {
      $0.unit = .characters
      $0.cell = CellName(RNN.self)
      $0.layers = 1
      $0.hiddenSize = 100
      $0.embeddingSize = 0
      $0.unknown = false
      $0.initialDeviation = 0.01
      $0.batchSize = 1
      $0.sequenceLength = 25
      $0.summedLoss = true
      // What the gist adds under the root is where the sums of squares begin.
      $0.optimizer = .adagrad(initial: 1e-8)
      $0.learningRate = 0.1
      $0.clipNorm = 0
      $0.clipValues = 5
    },
    LanguageModelPreset(
      "char-rnn", "Karpathy 2015, char-rnn: two layers of 128 LSTM units",
      "--cell lstm --layers 2 --hidden-size 128 --embedding-size 0 --batch-size 50 --sequence-length 50 "
        + "--optimizer rmsprop --learning-rate 0.002 --clip-norm 0 --clip-values 5"
    ) {
      $0.unit = .characters
      $0.cell = .lstm
      $0.layers = 2
      $0.hiddenSize = 128
      $0.embeddingSize = 0
      $0.batchSize = 50
      $0.sequenceLength = 50
      $0.optimizer = .rmsprop(smoothing: 0.95)
      $0.learningRate = 0.002
      $0.clipNorm = 0
      $0.clipValues = 5
    },
  ]
}
