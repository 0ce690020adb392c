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
    update(&modules, norm: norm, clipNorm: clipNorm, clipValue: clipValue, on: device)
    return norm
  }

  /// One step for the part of every parameter that is this process's own, where several share the work and each remembers
  /// what it needs for its part alone (Rajbhandari et al. 2020, ZeRO-1).
  /// - Parameters:
  ///   - norm: that of the whole gradient. When it is not finite nothing is changed.
  ///   - part: the part of so many scalars that is its own.
  public mutating func update(
    _ modules: inout some Module, norm: Float, clipNorm: Float? = nil, clipValue: Float? = nil,
    part: (Int) -> Range<Int> = { 0..<$0 }, on device: Device
  ) {
    guard norm.isFinite else { return }
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
      let part = part(gradient.count)
      updateParameter(
        rule, now, count: part.count, value: parameter.value.mutablePointer() + part.lowerBound,
        gradient: gradient.pointer + part.lowerBound,
        moments: own.indices.map { own[$0].mutablePointer() + part.lowerBound }, on: device)
      moments[parameter.path] = own
    }
  }

  /// Calls `visit` with what it remembers of each parameter of a module, in order.
  public mutating func visitMoments<E: Error>(
    of module: some Module, _ visit: (inout Tensor) throws(E) -> Void
  ) throws(E) {
    for parameter in module.parameters {
      guard var own = moments.removeValue(forKey: parameter.path) else { continue }
      for index in own.indices { try visit(&own[index]) }
      moments[parameter.path] = own
    }
  }
}

extension Module {
  /// The norm of all gradients together, ‖g‖₂.
  public func gradientNorm(on device: Device) -> Double {
    squaredGradientNorm(on: device).squareRoot()
  }

  /// The square of the norm of all gradients, or of a part of each.
  public func squaredGradientNorm(part: (Int) -> Range<Int> = { 0..<$0 }, on device: Device) -> Double {
    let squares = parameters.compactMap(\.gradient).map { gradient in
      let part = part(gradient.count)
      return sumOfSquares(gradient.pointer + part.lowerBound, count: part.count, on: device)
    }
    return squares.reduce(0, +)
  }
}
