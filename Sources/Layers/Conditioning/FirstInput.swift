public import Kernels
public import Tensors

/// The image as the first input (Vinyals et al. 2015; neuraltalk2): before the first token the network reads
/// x₋₁ = W_img v + b_img, and never sees the image again. Where the input is rectified it is ReLU(W_img v + b_img), as
/// neuraltalk2 has it.
public struct FirstInput: Conditioning {
  /// W_img [E, D], b_img.
  public var embedding: Linear
  /// Whether a ReLU follows.
  public let isRectified: Bool

  /// `path`.weight and .bias.
  public init<E: Error>(
    _ path: String, features: Int, inputs: Int, isRectified: Bool = false,
    from source: (ParameterSpecification) throws(E) -> Tensor
  ) throws(E) {
    embedding = try Linear(path, inputs: features, outputs: inputs, from: source)
    self.isRectified = isRectified
  }

  /// Calls `visit` with each parameter in order.
  public mutating func visitParameters<E: Error>(_ visit: (inout Parameter) throws(E) -> Void) throws(E) {
    try embedding.visitParameters(visit)
  }

  /// The gradient's memory.
  public struct Trace: ReusableTrace {
    var gradients = Buffer()
    /// Nothing traced yet.
    public init() {}
  }

  /// x₋₁ [N, E].
  public func context(of images: ImageFeatures, _ pass: ConditioningPass, on device: Device) -> Tensor {
    var result = Tensor(uninitialized: [images.count, embedding.outputs])
    let memory = result.mutableMatrix()
    withExtendedLifetime(images) {
      if isRectified {
        embedding.product(images.v.matrix, into: memory, on: device)
        addBiasReLUDropout(embedding.bias!.value.pointer, to: memory, .none, on: device)
      } else {
        embedding.forward(images.v.matrix, into: memory, on: device)
      }
    }
    images.clearUnseen(memory)
    return result
  }

  /// x₋₁.
  public func firstInput(_ context: Tensor) -> Matrix? { context.matrix }

  /// Nothing is added.
  public func term(
    _ context: Tensor, at step: ConditioningStep, into trace: inout Trace, on device: Device
  ) -> SharedRows? { nil }

  /// The gradients of W_img and b_img.
  public mutating func backward(
    of images: ImageFeatures, _ context: Tensor, _ sequences: PackedSequences,
    _ gradients: ConditioningGradients, trace: inout Trace, on device: Device
  ) -> ImageFeatures {
    let sums = trace.gradients.reserve(images.count, embedding.outputs)
    scatterAdd(gradients.firstInput!, to: sequences.imageRows, into: sums, on: device)
    images.clearUnseen(sums)
    if isRectified {
      withExtendedLifetime(context) { reluDropoutBackward(context.matrix, gradient: sums, .none, on: device) }
    }
    var dv = Tensor(uninitialized: images.v.shape)
    withExtendedLifetime(images) {
      embedding.backward(images.v.matrix, Matrix(sums), into: dv.mutableMatrix(), on: device)
    }
    return ImageFeatures(v: dv)
  }
}
