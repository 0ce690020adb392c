internal import CKernels

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
  /// What each number of it is then clipped to, from -limit to limit.
  public var gradientLimit: Float

  /// Step `number` of a run.
  public init(
    learningRate: Float, weightDecay: Float = 0, number: Int, gradientScale: Float = 1,
    gradientLimit: Float = .infinity
  ) {
    self.learningRate = learningRate
    self.weightDecay = weightDecay
    self.number = number
    self.gradientScale = gradientScale
    self.gradientLimit = gradientLimit
  }
}

/// One step of an optimiser over a parameter of `count` scalars, in one pass.
/// - Parameter moments: the rule's `momentNames.count` running values, `count` scalars each, its `firstMoment` before step 1.
public func updateParameter(
  _ rule: OptimizerRule, _ step: UpdateStep, count: Int, value: UnsafeMutablePointer<Float>,
  gradient: UnsafePointer<Float>, moments: [UnsafeMutablePointer<Float>], on device: Device
) {
  precondition(moments.count == rule.momentNames.count, "\(moments.count) moments for \(rule)")
  let kernels = device.kernels
  let numbers = rule.numbers(step)
  device.pool.runChunks(of: count, size: 65_536) { range in
    let from = range.lowerBound
    let count = range.count
    let (w, g) = (value + from, gradient + from)
    switch rule {
    case .sgd: kernels.descent(w, g, moments.first.map { $0 + from }, count, numbers)
    case .adagrad, .rmsprop: kernels.scaled_descent(w, g, moments[0] + from, count, numbers)
    case .adam, .adamw: kernels.adam(w, g, moments[0] + from, moments[1] + from, count, numbers)
    }
  }
}

/// average = decay·average + (1 − decay)·x, of `count` scalars.
public func updateMovingAverage(
  count: Int, average: UnsafeMutablePointer<Float>, of x: UnsafePointer<Float>, decay: Float,
  on device: Device
) {
  let update = device.kernels.moving_average!
  device.pool.runChunks(of: count, size: 65_536) { range in
    update(average + range.lowerBound, x + range.lowerBound, range.count, decay)
  }
}

/// y += a·x, of `count` scalars.
public func addScaled(
  count: Int, _ a: Float, _ x: UnsafePointer<Float>, to y: UnsafeMutablePointer<Float>, on device: Device
) {
  let add = device.kernels.axpy!
  device.pool.runChunks(of: count, size: 65_536) { range in
    add(a, x + range.lowerBound, y + range.lowerBound, range.count)
  }
}
