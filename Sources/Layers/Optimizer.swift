public import Kernels
public import Tensors

/// An optimiser: a rule, its learning rate and weight decay, and what it remembers of every parameter, by path.
public struct Optimizer: Sendable {
  /// How a gradient becomes a step.
  public let rule: OptimizerRule
  /// α; a schedule may change it between steps.
  public var learningRate: Float
  /// λ: L2 penalty, or the decoupled decay of AdamW.
  public var weightDecay: Float
  /// The steps taken.
  public private(set) var step = 0
  /// The running values of each parameter, one of its shape for each of the rule's `momentNames`.
  public private(set) var moments: [String: [Tensor]] = [:]

  /// An optimiser at its start.
  public init(_ rule: OptimizerRule, learningRate: Float, weightDecay: Float = 0) {
    self.rule = rule
    self.learningRate = learningRate
    self.weightDecay = weightDecay
  }

  /// Goes on where another of the same rule left off: as a checkpoint kept it.
  public mutating func restore(step: Int, moments: [String: [Tensor]]) {
    self.step = step
    self.moments = moments
  }

  /// One step for every parameter that has a gradient, whose norm over all of them is first clipped to `clipNorm`, and then
  /// each of its numbers to ±`clipValue`.
  /// - Returns: the norm before clipping. When it is not finite nothing is changed.
  @discardableResult
  public mutating func update(
    _ modules: inout some Module, clipNorm: Float? = nil, clipValue: Float? = nil, on device: Device
  ) -> Float {
    let norm = Float(modules.gradientNorm(on: device))
    guard norm.isFinite else { return norm }
    step += 1
    var now = UpdateStep(learningRate: learningRate, weightDecay: weightDecay, number: step)
    // As torch.nn.utils.clip_grad_norm_.
    if let clipNorm { now.gradientScale = min(1, clipNorm / (norm + 1e-6)) }
    if let clipValue { now.gradientLimit = clipValue }
    modules.visitParameters { parameter in
      guard let gradient = parameter.gradient else { return }
      // Taken out while they change, so that they have one owner and are not copied.
      var own =
        moments.removeValue(forKey: parameter.path)
        ?? rule.momentNames.map { _ in Tensor(repeating: rule.firstMoment, gradient.shape) }
      updateParameter(
        rule, now, count: gradient.count, value: parameter.value.mutablePointer(), gradient: gradient.pointer,
        moments: own.indices.map { own[$0].mutablePointer() }, on: device)
      moments[parameter.path] = own
    }
    return norm
  }
}

extension Module {
  /// The norm of all gradients together, ‖g‖₂.
  public func gradientNorm(on device: Device) -> Double {
    let gradients = parameters.compactMap(\.gradient)
    let squares = gradients.map { sumOfSquares($0.pointer, count: $0.count, on: device) }
    return squares.reduce(0, +).squareRoot()
  }
}
