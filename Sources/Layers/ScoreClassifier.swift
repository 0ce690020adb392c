public import Kernels
public import Tensors

/// A linear layer on v that learns the class scores of a network that was trained on other photos, its teacher: what v has
/// to know for that serves captions too. It is of use in training only.
///
///     z = v Wᵀ + b,  loss = mean T² KL(softmax(s / T) ‖ softmax(z / T))
public struct ScoreClassifier: Module {
  /// W [K, D] and b.
  public var linear: Linear

  /// `path`.weight and .bias.
  public init<E: Error>(
    _ path: String, features: Int, classes: Int, from source: (ParameterSpecification) throws(E) -> Tensor
  ) throws(E) {
    linear = try Linear(path, inputs: features, outputs: classes, from: source)
  }

  /// Calls `visit` with W and b.
  public mutating func visitParameters<E: Error>(_ visit: (inout Parameter) throws(E) -> Void) throws(E) {
    try linear.visitParameters(visit)
  }

  /// Forward and backward: writes the gradients of `weight`·loss by W, b and v.
  /// - Parameters:
  ///   - v: [n, D].
  ///   - scores: the teacher's [n, K].
  ///   - temperature: T.
  ///   - dv: [n, D].
  /// - Returns: the loss.
  public mutating func forwardBackward(
    _ v: Matrix, scores: Matrix, temperature: Float, weight: Float, dv: MutableMatrix, on device: Device
  ) -> Double {
    var logits = Tensor(uninitialized: [v.rows, linear.outputs])
    let z = logits.mutableMatrix()
    linear.forward(v, into: z, on: device)
    let losses = softTargetDivergence(
      z, scores: scores, temperature: temperature, scale: weight / Float(max(1, v.rows)), on: device)
    linear.backward(v, Matrix(z), into: dv, on: device)
    return withExtendedLifetime(logits) { losses.reduce(0.0) { $0 + Double($1) } / Double(max(1, v.rows)) }
  }
}
