internal import CKernels

/// The numbers of one step of Adam (Kingma & Ba 2015).
public struct AdamStep: Sendable {
  /// α.
  public var learningRate: Float
  /// β₁ and β₂.
  public var beta1, beta2: Double
  /// ε, added to the root of the corrected second moment.
  public var epsilon: Float
  /// L2 penalty, added to the gradient as weightDecay·w.
  public var weightDecay: Float
  /// t, from 1.
  public var step: Int
  /// What each gradient is multiplied by: the clipping factor.
  public var gradientScale: Float

  /// One step, with the paper's defaults.
  public init(
    learningRate: Float, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Float = 1e-8,
    weightDecay: Float = 0,
    step: Int, gradientScale: Float = 1
  ) {
    (self.learningRate, self.beta1, self.beta2, self.epsilon) = (learningRate, beta1, beta2, epsilon)
    (self.weightDecay, self.step, self.gradientScale) = (weightDecay, step, gradientScale)
  }

  var parameters: ck_adam {
    let correction1 = 1 - power(beta1, step)
    let correction2 = 1 - power(beta2, step)
    return ck_adam(
      gradient_scale: gradientScale, weight_decay: weightDecay, one_minus_beta1: Float(1 - beta1),
      beta2: Float(beta2), one_minus_beta2: Float(1 - beta2),
      step_size: Float(Double(learningRate) / correction1),
      inverse_root_correction2: Float(1 / correction2.squareRoot()), epsilon: epsilon)
  }
}

private func power(_ base: Double, _ exponent: Int) -> Double {
  var (result, square, rest) = (1.0, base, max(0, exponent))
  while rest > 0 {
    if rest & 1 == 1 { result *= square }
    square *= square
    rest >>= 1
  }
  return result
}

/// One step of Adam over a parameter, in one pass: m = β₁m + (1−β₁)g, v = β₂v + (1−β₂)g²,
/// w −= α/(1−β₁ᵗ)·m / (√(v/(1−β₂ᵗ)) + ε).
public func adamUpdate(
  count: Int, value: UnsafeMutablePointer<Float>, gradient: UnsafePointer<Float>,
  firstMoment: UnsafeMutablePointer<Float>, secondMoment: UnsafeMutablePointer<Float>, _ step: AdamStep,
  pool: ThreadPool = .shared, instructions: InstructionSet = .current
) {
  let update = instructions.table.pointer.pointee.adam!
  let parameters = step.parameters
  pool.runPieces(of: count, size: 65_536) { range in
    let from = range.lowerBound
    update(
      value + from, gradient + from, firstMoment + from, secondMoment + from, range.count, parameters)
  }
}

/// average = decay·average + (1 − decay)·x.
public func updateMovingAverage(
  count: Int, average: UnsafeMutablePointer<Float>, of x: UnsafePointer<Float>, decay: Float,
  pool: ThreadPool = .shared, instructions: InstructionSet = .current
) {
  let update = instructions.table.pointer.pointee.moving_average!
  pool.runPieces(of: count, size: 65_536) { range in
    update(average + range.lowerBound, x + range.lowerBound, range.count, decay)
  }
}

/// y += a·x.
public func addScaled(
  count: Int, _ a: Float, _ x: UnsafePointer<Float>, to y: UnsafeMutablePointer<Float>,
  pool: ThreadPool = .shared, instructions: InstructionSet = .current
) {
  let add = instructions.table.pointer.pointee.axpy!
  pool.runPieces(of: count, size: 65_536) { range in
    add(a, x + range.lowerBound, y + range.lowerBound, range.count)
  }
}

/// e^x, σ(x) and tanh x of the kernels' polynomials, for their tests.
enum Elementwise: CaseIterable {
  case exponential, sigmoid, hyperbolicTangent

  func apply(_ x: [Float], instructions: InstructionSet = .current) -> [Float] {
    let table = instructions.table.pointer.pointee
    let function =
      switch self {
      case .exponential: table.exp_row!
      case .sigmoid: table.sigmoid_row!
      case .hyperbolicTangent: table.tanh_row!
      }
    return [Float](unsafeUninitializedCapacity: x.count) { y, count in
      x.withUnsafeBufferPointer { x in
        if !x.isEmpty { function(x.baseAddress, y.baseAddress, x.count) }
      }
      count = x.count
    }
  }
}
