public import Tensors

/// A tensor of a layer that training changes, and the gradient of the loss by it.
public struct Parameter: Sendable {
  /// Its name in a model file: `decoder.lstm.bias`.
  public let path: String
  /// Whether it follows its gradient. What does not is measured: the statistics of a normalisation.
  public let learns: Bool
  /// What the layer computes with.
  public var value: Tensor
  /// δ of the loss by `value`, of its shape; nil until the first backward pass, which overwrites it.
  public private(set) var gradient: Tensor?

  /// A parameter without a gradient yet, its value from `source`, which must give the shape it is asked for.
  public init<E: Error>(
    _ path: String, _ shape: Shape, _ initial: ParameterSpecification.Initial, learns: Bool = true,
    from source: (ParameterSpecification) throws(E) -> Tensor
  ) throws(E) {
    self.path = path
    self.learns = learns
    value = try source(ParameterSpecification(path: path, shape: shape, initial: initial))
    precondition(value.shape == shape, "\(path) is \(value.shape), not \(shape)")
  }

  /// The gradient's memory for a kernel to overwrite.
  public mutating func gradientPointer() -> UnsafeMutablePointer<Float> {
    if gradient == nil { gradient = Tensor(uninitialized: value.shape) }
    return gradient!.mutablePointer()
  }

  /// Gives the memory of the gradient back: inference needs none.
  public mutating func dropGradient() { gradient = nil }
}

/// Anything with parameters: a layer, or several.
public protocol Module: Sendable {
  /// Calls `visit` with each parameter, always in the same order.
  mutating func visitParameters<E: Error>(_ visit: (inout Parameter) throws(E) -> Void) throws(E)
}

extension Module {
  /// All parameters in order, as they are now.
  public var parameters: [Parameter] {
    var copy = self
    var result: [Parameter] = []
    copy.visitParameters { result.append($0) }
    return result
  }

  /// The path of the first parameter whose gradient has a scalar that is not finite; nil: all are finite.
  public var notFinite: String? {
    parameters.first { parameter in
      guard let gradient = parameter.gradient else { return false }
      return gradient.withUnsafeBufferPointer { !$0.allSatisfy(\.isFinite) }
    }?.path
  }

  /// The number of trained scalars.
  public var scalarCount: Int { parameters.reduce(0) { $0 + ($1.learns ? $1.value.count : 0) } }

  /// Frees all gradients.
  public mutating func dropGradients() { visitParameters { $0.dropGradient() } }
}
