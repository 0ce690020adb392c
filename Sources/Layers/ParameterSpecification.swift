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
    /// All this number.
    case constant(Float)
    /// Uniform in -limit..<limit.
    case uniform(Float)
    /// Normal of mean 0 and this standard deviation.
    case normal(Float)
    /// One on the diagonal of a matrix, zero elsewhere.
    case identity
    /// A recurrent layer's bias [G·H]: one, or what is asked for, for gate `openGate` of `of`, else zero.
    case openGate(Int, of: Int)
  }

  /// A source of untrained parameters: `Linear(…) { $0.untrained(using: &random) }`.
  /// - Parameter forgetBias: how far open the remembering gate of a cell begins: σ of it is kept at each step.
  public func untrained(using random: inout Random, forgetBias: Float = 1) -> Tensor {
    switch initial {
    case .zero: return Tensor(zeros: shape)
    case .constant(let value): return Tensor(repeating: value, shape)
    case .uniform(let limit): return Tensor(uniform: shape, limit: limit, using: &random)
    case .normal(let deviation):
      return Tensor(normal: shape, standardDeviation: deviation, using: &random)
    case .identity:
      let columns = max(1, shape[shape.rank - 1])
      return Tensor((0..<shape.count).map { $0 / columns == $0 % columns ? 1 : 0 }, shape)
    case .openGate(let gate, let gates):
      let size = max(1, shape.count / gates)
      return Tensor((0..<shape.count).map { $0 / size == gate ? forgetBias : 0 }, shape)
    }
  }
}
