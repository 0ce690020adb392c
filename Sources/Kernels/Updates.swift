/// The numbers of one step of an optimiser that change as training goes.
public struct UpdateStep: Sendable {
  /// α.
  public var learningRate: Float
  /// λ, as the rule takes it: a penalty on the gradient, or a decay of the value.
  public var weightDecay: Float
  /// t, from 1.
  public var number: Int
  /// What each gradient is multiplied by: the clipping factor.
  public var gradientScale: Float

  /// Step `number` of a run.
  public init(learningRate: Float, weightDecay: Float = 0, number: Int, gradientScale: Float = 1) {
    (self.learningRate, self.weightDecay) = (learningRate, weightDecay)
    (self.number, self.gradientScale) = (number, gradientScale)
  }
}

/// One step of an optimiser over a parameter, in one pass.
/// - Parameter moments: the rule's `momentNames.count` running values, `count` scalars each, zero before step 1.
public func updateParameter(
  _ rule: OptimizerRule, _ step: UpdateStep, count: Int, value: UnsafeMutablePointer<Float>,
  gradient: UnsafePointer<Float>, moments: [UnsafeMutablePointer<Float>], pool: ThreadPool = .shared,
  instructions: InstructionSet = .current
) {
  precondition(moments.count == rule.momentNames.count, "\(moments.count) moments for \(rule)")
  let (table, numbers) = (instructions.table.pointer.pointee, rule.numbers(step))
  pool.runPieces(of: count, size: 65_536) { range in
    let (from, count) = (range.lowerBound, range.count)
    let (w, g) = (value + from, gradient + from)
    switch rule {
    case .sgd: table.descent(w, g, moments.first.map { $0 + from }, count, numbers)
    case .adagrad, .rmsprop: table.scaled_descent(w, g, moments[0] + from, count, numbers)
    case .adam, .adamw: table.adam(w, g, moments[0] + from, moments[1] + from, count, numbers)
    }
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
