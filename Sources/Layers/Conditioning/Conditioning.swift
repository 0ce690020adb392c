public import Kernels
public import Tensors

/// What a decoder is told of N images.
public struct ImageFeatures: Sendable {
  /// FC-4096 of each image [N, D].
  public var v: Tensor
  /// The regions of each image [N, R, C], for decoders that attend to them; nil: none.
  public var regions: Tensor?
  /// How many of the last rows are no images: to what is said there nothing is added, by any conditioning. Their features
  /// are zero.
  public private(set) var unseen = 0

  /// The features of N images.
  public init(v: Tensor, regions: Tensor? = nil) {
    precondition(v.shape.rank == 2, "v is \(v.shape)")
    precondition(
      regions.map { $0.shape.rank == 3 && $0.shape[0] == v.shape[0] } ?? true,
      "regions of \(v.shape[0]) images")
    self.v = v
    self.regions = regions
  }

  /// No image: N rows without features, for sequences of text alone.
  public init(unseen count: Int) {
    v = Tensor(zeros: [count, 0])
    unseen = count
  }

  /// N.
  public var count: Int { v.shape[0] }

  /// The same with a row more that is no image.
  public func withUnseen() -> ImageFeatures {
    func longer(_ tensor: Tensor) -> Tensor {
      let extents = tensor.shape.dimensions
      var result = Tensor(zeros: Shape([extents[0] + 1] + extents[1...]))
      result.mutablePointer().update(from: tensor.pointer, count: tensor.count)
      return withExtendedLifetime(tensor) { result }
    }
    var result = ImageFeatures(v: longer(v), regions: regions.map(longer))
    result.unseen = unseen + 1
    return result
  }

  /// Sets the rows of what is no image to zero, in a matrix of some rows an image.
  func clearUnseen(_ rows: MutableMatrix, perImage: Int = 1) {
    for row in (count - unseen) * perImage..<count * perImage {
      rows[row].update(repeating: 0, count: rows.columns)
    }
  }

  /// Those of some images that are seen, copied.
  public func rows(_ images: [Int]) -> ImageFeatures {
    ImageFeatures(
      v: v.copied(rows: images),
      regions: regions.map { regions in
        let shape = regions.shape
        return regions.reshaped([shape[0], shape[1] * shape[2]]).copied(rows: images)
          .reshaped([images.count, shape[1], shape[2]])
      })
  }
}

extension SharedRows {
  /// The image of each row of the matrix, given that of each row of the step: rows of one parent are about one image.
  public func imagesOfParents(_ images: UnsafeBufferPointer<Int32>) -> [Int32] {
    guard let rows else { return Array(images) }
    var result = [Int32](repeating: 0, count: matrix.rows)
    for (row, image) in images.enumerated() { result[Int(rows[row])] = image }
    return result
  }
}

/// Where a step of the lowest recurrent layer stands.
public struct ConditioningStep {
  /// t, from 0.
  public let index: Int
  /// The image of each row, a row of the features.
  public let images: UnsafeBufferPointer<Int32>
  /// h that the rows go on from; nil at the first step. Rows of one parent share it.
  public let hidden: SharedRows?
  /// The positions of a packed batch that the rows are, for which the backward pass will ask; nil in inference.
  public let positions: Range<Int>?

  /// A step.
  public init(
    index: Int, images: UnsafeBufferPointer<Int32>, hidden: SharedRows?, positions: Range<Int>? = nil
  ) {
    self.index = index
    self.images = images
    self.hidden = hidden
    self.positions = positions
  }
}

/// What a training step does to what an image is told by.
public struct ConditioningPass: Sendable {
  /// Of the regions' values, where there are regions.
  public let regionDropout: Dropout
  /// λ of the doubly stochastic regulariser of attention (Xu et al. 2015): λ·mean over captions and regions of
  /// (1 − Σₜ α)² is added to the loss. 0: none.
  public let attentionPenalty: Float
  /// How single regions are drawn and seen instead of their mean (hard attention); nil: none is.
  public let attentionSampling: AttentionSampling?
  /// Whether somebody wants the gradient of the regions.
  public let regionsLearn: Bool

  /// A pass.
  public init(
    regionDropout: Dropout = .none, attentionPenalty: Float = 0,
    attentionSampling: AttentionSampling? = nil, regionsLearn: Bool = false
  ) {
    self.regionDropout = regionDropout
    self.attentionPenalty = attentionPenalty
    self.attentionSampling = attentionSampling
    self.regionsLearn = regionsLearn
  }

  /// As it is when the model speaks.
  public static let inference = ConditioningPass()
}

/// What came of a training pass, for those who learn of it by more than gradients.
public struct PassOutcome: Sendable {
  /// log p of the target of each position [P].
  public let logProbabilities: [Float]
  /// What each position weighs in the loss [P].
  public let weights: [Float]

  /// An outcome.
  public init(logProbabilities: [Float], weights: [Float]) {
    self.logProbabilities = logProbabilities
    self.weights = weights
  }

  /// The same where so many positions without a target come before.
  public func preceded(by leading: Int) -> PassOutcome {
    let none = [Float](repeating: 0, count: leading)
    return PassOutcome(logProbabilities: none + logProbabilities, weights: none + weights)
  }
}

/// The gradients that reach a conditioning in a backward pass.
public struct ConditioningGradients {
  /// Of the gates' sums, at all positions [P, G·H].
  public let sums: Matrix
  /// Of the states that the sequences began with [B, H], layer by layer, h first; empty where they were zero.
  public let initialStates: [[Matrix]]
  /// Of the first input [B, E]; nil where there was none.
  public let firstInput: Matrix?

  /// Gradients of one batch.
  public init(sums: Matrix, initialStates: [[Matrix]] = [], firstInput: Matrix? = nil) {
    self.sums = sums
    self.initialStates = initialStates
    self.firstInput = firstInput
  }
}

/// How an image enters a recurrent network: as a term of the gates' sums, at every step, at some, or by attention; as the
/// states that sequences begin with; as an input before the first token.
///
/// `Context` is computed once an image, whatever is said of it: W_ih·v, or the keys of attention. `Trace` is what the steps
/// of one pass leave for the backward pass, and their memory.
public protocol Conditioning: Module {
  /// Computed once an image.
  associatedtype Context: Sendable
  /// What steps leave, and memory.
  associatedtype Trace: ReusableTrace

  /// The context of N images.
  func context(of images: ImageFeatures, _ pass: ConditioningPass, on device: Device) -> Context
  /// The states [N, H] that sequences about each image begin with, layer by layer, h first, valid while the context is;
  /// nil: zero.
  func initialStates(_ context: Context) -> [[Matrix]]?
  /// What sequences about each image read before the first token [N, E], valid while the context is; nil: nothing.
  func firstInput(_ context: Context) -> Matrix?

  /// Before the first step of a training pass.
  func begin(_ sequences: PackedSequences, into trace: inout Trace)
  /// What is added at a step, G·H floats a row; nil: nothing. Its memory lasts until the next call.
  func term(
    _ context: Context, at step: ConditioningStep, into trace: inout Trace, on device: Device
  ) -> SharedRows?
  /// Where each position of the last training pass looked [P, R]; nil where there is no attention.
  func attentionWeights(_ context: Context, _ trace: Trace) -> Tensor?
  /// Before the backward pass of the last step.
  func beginBackward(
    _ context: Context, _ sequences: PackedSequences, _ outcome: PassOutcome, trace: inout Trace)
  /// The backward pass of one step, the last step first; nothing to do where the term does not depend on h.
  /// - Parameters:
  ///   - sums: the gradients of the gates' sums [rows, G·H].
  ///   - hidden: δh of the step before [rows, H], to be added to; nil where there is none.
  mutating func termBackward(
    _ context: Context, at step: PackedStep, sums: Matrix, hidden: MutableMatrix?, trace: inout Trace,
    on device: Device)
  /// After the last step: writes the gradients of the parameters.
  /// - Returns: the gradients of the images' features.
  mutating func backward(
    of images: ImageFeatures, _ context: Context, _ sequences: PackedSequences,
    _ gradients: ConditioningGradients, trace: inout Trace, on device: Device
  ) -> ImageFeatures
}

extension Conditioning {
  /// Zero.
  public func initialStates(_ context: Context) -> [[Matrix]]? { nil }
  /// Nothing.
  public func firstInput(_ context: Context) -> Matrix? { nil }
  /// Nothing to prepare.
  public func begin(_ sequences: PackedSequences, into trace: inout Trace) {}
  /// There is no attention.
  public func attentionWeights(_ context: Context, _ trace: Trace) -> Tensor? { nil }
  /// Nothing to prepare.
  public func beginBackward(
    _ context: Context, _ sequences: PackedSequences, _ outcome: PassOutcome, trace: inout Trace
  ) {}
  /// Nothing: the term does not depend on h.
  public mutating func termBackward(
    _ context: Context, at step: PackedStep, sums: Matrix, hidden: MutableMatrix?, trace: inout Trace,
    on device: Device
  ) {}
}

/// What a forward pass leaves for a backward pass; its memory is used again by the next pass.
public protocol ReusableTrace: Sendable {
  /// Nothing traced yet.
  init()
}

/// Text alone: no image adds anything.
public struct Unconditioned: Conditioning {
  /// Nothing to keep.
  public struct Trace: ReusableTrace {
    /// Nothing.
    public init() {}
  }

  /// No parameters.
  public init() {}

  /// There are none.
  public mutating func visitParameters<E: Error>(_ visit: (inout Parameter) throws(E) -> Void) throws(E) {}
  /// Nothing.
  public func context(of images: ImageFeatures, _ pass: ConditioningPass, on device: Device) {}
  /// Nothing is added.
  public func term(
    _ context: Void, at step: ConditioningStep, into trace: inout Trace, on device: Device
  ) -> SharedRows? { nil }
  /// The features as they are: they have no influence, and nobody reads a gradient of none.
  public mutating func backward(
    of images: ImageFeatures, _ context: Void, _ sequences: PackedSequences,
    _ gradients: ConditioningGradients, trace: inout Trace, on device: Device
  ) -> ImageFeatures { images }
}
