public import Kernels
public import Layers
public import Tensors

/// A language model of sequences of tokens, each about an image or about none. Search, sampling and scoring know no more
/// of it than this.
public protocol SequenceDecoder: Module {
  /// Sequences in the making.
  associatedtype Session: DecodingSession
  /// What a training step keeps between its passes.
  associatedtype Trace: ReusableTrace

  /// V.
  var vocabularySize: Int { get }

  /// Begins one sequence an image, before the first token.
  /// - Parameters:
  ///   - cache: where sessions of this very decoder leave what others can use again.
  ///   - dropout: the masks of a training step, in which the rows are the sequences of a packed batch; nil: none.
  func session(
    for images: ImageFeatures, sharing cache: DecodingCache, dropout: DropoutPass?, on device: Device
  ) -> Session

  /// log p of the target of each position [P], natural logarithms, under dropout; and what the backward pass needs.
  /// The loss is −mean of the result: each position weighs 1/P, or as the pass's weights say.
  mutating func trainingForward(
    _ sequences: PackedSequences, about images: ImageFeatures, _ pass: TrainingPass, into trace: inout Trace,
    on device: Device
  ) -> [Float]

  /// Writes the gradient of every parameter for the last `trainingForward` on this trace.
  /// - Returns: the gradients of the images' features.
  mutating func backward(_ trace: inout Trace, on device: Device) -> ImageFeatures

  /// How much each position of given sequences looks at each region of its image [P, R], without dropout; nil where the
  /// decoder attends to none.
  func attentionWeights(_ sequences: PackedSequences, about images: ImageFeatures, on device: Device)
    -> Tensor?
}

extension SequenceDecoder {
  /// It attends to no regions.
  public func attentionWeights(
    _ sequences: PackedSequences, about images: ImageFeatures, on device: Device
  ) -> Tensor? { nil }

  /// A session without dropout.
  public func session(
    for images: ImageFeatures, sharing cache: DecodingCache = DecodingCache(), on device: Device
  ) -> Session { session(for: images, sharing: cache, dropout: nil, on: device) }
}

/// Sequences that a decoder is saying, a row each.
public protocol DecodingSession {
  /// How many there are.
  var rows: Int { get }
  /// Reads one token a row.
  mutating func advance(_ tokens: [Int32])
  /// What the decoder thinks of the tokens that may follow in some rows, after at least one was read. In memory that the
  /// next call uses again.
  mutating func scores(of rows: Range<Int>) -> TokenScores
  /// Row i goes on from what row `rows[i]` was; rows may be copied or dropped.
  mutating func select(_ rows: [Int32])
}

/// The masks of one training step: the rates, and the seed that names them.
public struct DropoutPass: Sendable, Equatable {
  /// What is dropped of each.
  public struct Rates: Sendable, Equatable {
    /// Of the embedded tokens.
    public var embedding: Float
    /// Of h before the projection.
    public var output: Float
    /// Of h between layers.
    public var layers: Float
    /// Of the regions' values, where a decoder attends to regions.
    public var regions: Float

    /// Rates in 0..<1.
    public init(embedding: Float = 0.5, output: Float = 0.5, layers: Float = 0, regions: Float = 0) {
      self.embedding = embedding
      self.output = output
      self.layers = layers
      self.regions = regions
    }

    /// Nothing is dropped.
    public static let none = Rates(embedding: 0, output: 0)
  }

  /// What is dropped.
  public let rates: Rates
  /// Names the masks.
  public let seed: UInt64
  /// Which rows of a whole batch, whose masks they are, the rows of the pass are; nil: they are the whole.
  public let rows: PackedRows?

  /// Masks.
  public init(_ rates: Rates, seed: UInt64, rows: PackedRows? = nil) {
    self.rates = rates
    self.seed = seed
    self.rows = rows
  }

  /// Nothing is dropped.
  public static let none = DropoutPass(.none, seed: 0)
}

/// What a training step does beside teacher forcing.
public struct TrainingPass: Sendable {
  /// What is dropped.
  public var dropout: DropoutPass
  /// The share of a target's probability that is spread over all tokens. The gradients, not the result, are theirs.
  public var labelSmoothing: Float
  /// What each position weighs in the loss [P]; nil: 1/P.
  public var weights: [Float]?
  /// λ of the doubly stochastic regulariser of attention: see `ConditioningPass`.
  public var attentionPenalty: Float
  /// How attention draws regions: see `AttentionSampling`; nil: it is soft.
  public var attentionSampling: AttentionSampling?
  /// λ of a visual memory's error: λ·mean (ṽ − v)² is added to the loss.
  public var reconstructionWeight: Float
  /// Whether somebody wants the gradient of the images' regions.
  public var regionsLearn: Bool

  /// A pass.
  public init(
    dropout: DropoutPass = .none, labelSmoothing: Float = 0, weights: [Float]? = nil,
    attentionPenalty: Float = 0, attentionSampling: AttentionSampling? = nil,
    reconstructionWeight: Float = 0, regionsLearn: Bool = false
  ) {
    self.dropout = dropout
    self.labelSmoothing = labelSmoothing
    self.weights = weights
    self.attentionPenalty = attentionPenalty
    self.attentionSampling = attentionSampling
    self.reconstructionWeight = reconstructionWeight
    self.regionsLearn = regionsLearn
  }
}

extension TrainingPass {
  /// The gradient of the loss at so many positions.
  public func gradient(of positions: Int) -> CrossEntropyGradient {
    CrossEntropyGradient(
      scale: weights == nil ? 1 / Float(max(1, positions)) : 1, labelSmoothing: labelSmoothing,
      weights: weights)
  }

  /// What came of it, given log p of every position's target.
  public func outcome(_ logProbabilities: [Float]) -> PassOutcome {
    let count = logProbabilities.count
    return PassOutcome(
      logProbabilities: logProbabilities,
      weights: weights ?? [Float](repeating: 1 / Float(max(1, count)), count: count))
  }
}

/// Where sessions of one decoder leave for each other what does not depend on the images. Not for use by two threads at
/// once, nor after the decoder's parameters have changed.
public final class DecodingCache {
  private var content: AnyObject?

  /// Nothing yet.
  public init() {}

  /// What a session left, made by `make` where nothing of that kind is there.
  public func content<T: AnyObject>(_ make: () -> T) -> T {
    if let found = content as? T { return found }
    let made = make()
    content = made
    return made
  }
}

/// The trace of a decoder of any kind, for those who hold an `any SequenceDecoder`.
public struct DecoderTrace: Sendable {
  private var content: (any ReusableTrace)?

  /// Nothing traced yet.
  public init() {}

  /// Lends the trace of a kind; it has one owner meanwhile, so that its memory is not copied.
  fileprivate mutating func lend<T: ReusableTrace, Result>(_ body: (inout T) -> Result) -> Result {
    var own = content as? T ?? T()
    content = nil
    defer { content = own }
    return body(&own)
  }
}

extension SequenceDecoder {
  /// As `trainingForward` with the decoder's own kind of trace.
  public mutating func trainingForward(
    _ sequences: PackedSequences, about images: ImageFeatures, _ pass: TrainingPass,
    into trace: inout DecoderTrace, on device: Device
  ) -> [Float] {
    trace.lend { (own: inout Trace) in
      trainingForward(sequences, about: images, pass, into: &own, on: device)
    }
  }

  /// As `backward` with the decoder's own kind of trace.
  public mutating func backward(_ trace: inout DecoderTrace, on device: Device) -> ImageFeatures {
    trace.lend { (own: inout Trace) in backward(&own, on: device) }
  }
}
