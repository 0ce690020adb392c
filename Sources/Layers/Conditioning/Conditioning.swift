public import Kernels
public import Tensors

/// What a decoder is told of N images.
public struct ImageFeatures: Sendable {
  /// FC-4096 of each image [N, D].
  public var v: Tensor

  /// The features of N images.
  public init(v: Tensor) {
    precondition(v.shape.rank == 2, "v is \(v.shape)")
    self.v = v
  }

  /// No image: N rows without features, for sequences of text alone.
  public init(unseen count: Int) { v = Tensor(zeros: [count, 0]) }

  /// N.
  public var count: Int { v.shape[0] }
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

/// What the image adds to the sums of the lowest recurrent layer's gates, and when.
///
/// `Context` is computed once an image, whatever is said of it: W_ih·v, or the keys of attention. `Trace` is what the steps
/// of one pass leave for the backward pass, and their memory.
public protocol Conditioning: Module {
  /// Computed once an image.
  associatedtype Context: Sendable
  /// What steps leave, and memory.
  associatedtype Trace: ReusableTrace

  /// The context of N images.
  func context(of images: ImageFeatures, on device: Device) -> Context
  /// What is added at a step, G·H floats a row; nil: nothing. Its memory lasts until the next call.
  func term(
    _ context: Context, at step: ConditioningStep, into trace: inout Trace, on device: Device
  ) -> SharedRows?
  /// The backward pass of one step, the last step first; nothing to do where the term does not depend on h.
  /// - Parameters:
  ///   - sums: the gradients of the gates' sums [rows, G·H].
  ///   - hidden: δh of the step before [rows, H], to be added to; nil at the first step.
  mutating func termBackward(
    _ context: Context, at step: PackedStep, sums: Matrix, hidden: MutableMatrix?, trace: inout Trace,
    on device: Device)
  /// After the last step: writes the gradients of the parameters.
  /// - Parameter sums: the gradients of the gates' sums of all positions [P, G·H].
  /// - Returns: the gradients of the images' features.
  mutating func backward(
    of images: ImageFeatures, _ sequences: PackedSequences, sums: Matrix, trace: inout Trace,
    on device: Device
  ) -> ImageFeatures
}

extension Conditioning {
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
  public func context(of images: ImageFeatures, on device: Device) {}
  /// Nothing is added.
  public func term(
    _ context: Void, at step: ConditioningStep, into trace: inout Trace, on device: Device
  ) -> SharedRows? { nil }
  /// The features as they are: they have no influence, and nobody reads a gradient of none.
  public mutating func backward(
    of images: ImageFeatures, _ sequences: PackedSequences, sums: Matrix, trace: inout Trace,
    on device: Device
  ) -> ImageFeatures { images }
}
