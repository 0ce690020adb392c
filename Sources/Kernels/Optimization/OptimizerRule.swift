internal import CKernels

/// How an optimiser turns a gradient g into a step, as PyTorch defines each; α is the learning rate, λ the weight decay.
///
/// All but `adamw` add the decay to the gradient, g + λw; `adamw` shrinks the value itself, w − αλw.
public enum OptimizerRule: Sendable, Equatable {
  /// Gradient descent: m = μm + g, w −= αm; with Nesterov's look ahead w −= α(g + μm) (Sutskever et al. 2013).
  case sgd(momentum: Double = 0, nesterov: Bool = false)
  /// v += g², w −= αg/(√v + ε) (Duchi et al. 2011), where v begins at `initial`.
  case adagrad(epsilon: Double = 1e-10, initial: Double = 0)
  /// v = ρv + (1−ρ)g², w −= αg/(√v + ε) (Tieleman & Hinton 2012).
  case rmsprop(smoothing: Double = 0.99, epsilon: Double = 1e-8)
  /// m = β₁m + (1−β₁)g, v = β₂v + (1−β₂)g², w −= α/(1−β₁ᵗ)·m/(√(v/(1−β₂ᵗ)) + ε) (Kingma & Ba 2015).
  case adam(beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8)
  /// Adam with decoupled weight decay (Loshchilov & Hutter 2019).
  case adamw(beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8)

  /// What a checkpoint calls the running values that the rule keeps of each parameter, in the order of its kernel.
  public var momentNames: [String] {
    switch self {
    case .sgd(let momentum, _): momentum == 0 ? [] : ["sgd.momentum"]
    case .adagrad: ["adagrad.sum"]
    case .rmsprop: ["rmsprop.square"]
    case .adam, .adamw: ["adam.first", "adam.second"]
    }
  }

  /// What those values are before the first step.
  public var firstMoment: Float {
    if case .adagrad(_, let initial) = self { Float(initial) } else { 0 }
  }

  /// The first number that is out of range, as `name: expected …, found …`; nil when all are right.
  public var problem: String? {
    func share(_ name: String, _ value: Double) -> String? {
      value >= 0 && Float(value) < 1 ? nil : "\(name): expected at least 0 and less than 1, found \(value)"
    }
    func epsilon(_ value: Double) -> String? {
      // As floats, or it would not keep a gradient of zero from dividing by zero.
      Float(value) > 0 && value <= 1 ? nil : "epsilon: expected more than 0 and at most 1, found \(value)"
    }
    switch self {
    case .sgd(let momentum, let nesterov):
      return share("momentum", momentum)
        ?? (nesterov && momentum == 0 ? "nesterov: expected a momentum with it, found 0" : nil)
    case .adagrad(let value, let initial):
      return epsilon(value)
        ?? (initial >= 0 && Float(initial).isFinite
          ? nil : "initial: expected 0 or more, found \(initial)")
    case .rmsprop(let smoothing, let value): return share("smoothing", smoothing) ?? epsilon(value)
    case .adam(let beta1, let beta2, let value), .adamw(let beta1, let beta2, let value):
      return share("beta1", beta1) ?? share("beta2", beta2) ?? epsilon(value)
    }
  }

  /// The constants of one step.
  func numbers(_ step: UpdateStep) -> ck_update {
    var numbers = ck_update()
    numbers.gradient_scale = step.gradientScale
    numbers.limit = step.gradientLimit
    numbers.penalty = step.weightDecay
    numbers.kept = 1
    numbers.step_size = step.learningRate
    switch self {
    case .sgd(let momentum, let nesterov):
      numbers.momentum = Float(momentum)
      numbers.nesterov = nesterov ? 1 : 0
    case .adagrad(let epsilon, _):
      numbers.beta2 = 1
      numbers.one_minus_beta2 = 1
      numbers.epsilon = Float(epsilon)
    case .rmsprop(let smoothing, let epsilon):
      numbers.beta2 = Float(smoothing)
      numbers.one_minus_beta2 = Float(1 - smoothing)
      numbers.epsilon = Float(epsilon)
    case .adam(let beta1, let beta2, let epsilon), .adamw(let beta1, let beta2, let epsilon):
      numbers.one_minus_beta1 = Float(1 - beta1)
      numbers.beta2 = Float(beta2)
      numbers.one_minus_beta2 = Float(1 - beta2)
      numbers.step_size = Float(Double(step.learningRate) / (1 - power(beta1, step.number)))
      numbers.inverse_root_correction2 = Float(1 / (1 - power(beta2, step.number)).squareRoot())
      numbers.epsilon = Float(epsilon)
    }
    if case .adamw = self {
      numbers.kept = Float(1 - Double(step.learningRate) * Double(step.weightDecay))
      numbers.penalty = 0
    }
    return numbers
  }
}

private func power(_ base: Double, _ exponent: Int) -> Double {
  var result = 1.0
  var square = base
  var rest = max(0, exponent)
  while rest > 0 {
    if rest & 1 == 1 { result *= square }
    square *= square
    rest >>= 1
  }
  return result
}
