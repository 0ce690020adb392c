internal import CKernels

/// How rows' cross-entropies make a loss, and so the gradient of their logits.
public struct CrossEntropyGradient: Sendable {
  /// What δx is multiplied by; 0: no gradient is taken.
  public var scale: Float
  /// ε: the share of a target's probability that is spread over all classes (Szegedy et al. 2016).
  public var labelSmoothing: Float
  /// [rows]: what δx of a row is multiplied by besides `scale`; nil: 1.
  public var weights: [Float]?

  /// The gradient of Σ weight · −log pₜ · scale.
  public init(scale: Float, labelSmoothing: Float = 0, weights: [Float]? = nil) {
    self.scale = scale
    self.labelSmoothing = labelSmoothing
    self.weights = weights
  }

  /// Log-probabilities only.
  public static let none = CrossEntropyGradient(scale: 0)

  /// The same of some of the rows.
  public func rows(_ range: Range<Int>) -> CrossEntropyGradient {
    var part = self
    part.weights = weights.map { Array($0[range]) }
    return part
  }
}

/// Softmax with cross-entropy over rows of V logits, in one pass while a row is in the cache:
///
///     log pₜ = xₜ − log Σ eˣ,  δx = (p − (1 − ε)·onehot(t) − ε/V)·scale·weight,  x = logits + bias
///
/// - Parameters:
///   - logits: [rows, V]: afterwards δx, or x where the gradient's `scale` is 0.
///   - bias: [V].
///   - targets: [rows], each in 0..<V.
///   - gradient: scale, ε and weights.
///   - logProbabilities: [rows]: log pₜ, natural logarithms.
public func softmaxCrossEntropy(
  _ logits: MutableMatrix, bias: UnsafePointer<Float>?, targets: UnsafePointer<Int32>,
  gradient: CrossEntropyGradient, into logProbabilities: UnsafeMutablePointer<Float>, on device: Device
) {
  let entropy = device.kernels.cross_entropy_row!
  let scale = gradient.scale
  let weights = gradient.weights
  precondition(weights.map { $0.count == logits.rows } ?? true)
  device.pool.runRows(logits.rows, columns: logits.columns) { range in
    for row in range {
      let weight = weights?[row] ?? 1
      logProbabilities[row] = entropy(
        logits[row], bias, logits.columns, Int(targets[row]), scale * weight, gradient.labelSmoothing)
      if scale != 0 && scale * weight == 0 { logits[row].update(repeating: 0, count: logits.columns) }
    }
  }
}
