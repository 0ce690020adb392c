public import Support
public import Tensors

/// What a layer asks of the source of its parameters: a model file, or a random start.
public struct ParameterSpecification: Sendable, Equatable {
  /// Its name in a model file.
  public let path: String
  /// Its extents.
  public let shape: Shape
  /// How it starts when it is yet to be trained.
  public let initial: Initial

  /// The distribution of an untrained parameter.
  public enum Initial: Sendable, Equatable {
    /// All zero.
    case zero
    /// Uniform in -limit..<limit.
    case uniform(Float)
    /// An LSTM's bias [4H] in gate order i, f, o, g: one, or what is asked for, for the forget gate, else zero.
    case forgetGate
  }

  /// A source of untrained parameters: `CaptionDecoder(…) { $0.untrained(using: &random) }`.
  /// - Parameter forgetBias: how far open an LSTM begins to remember: σ of it is kept at each step.
  public func untrained(using random: inout Random, forgetBias: Float = 1) -> Tensor {
    switch initial {
    case .zero: return Tensor(zeros: shape)
    case .uniform(let limit): return Tensor(uniform: shape, limit: limit, using: &random)
    case .forgetGate:
      let size = shape.count / 4
      return Tensor((0..<shape.count).map { $0 / max(1, size) == 1 ? forgetBias : 0 }, shape)
    }
  }
}
