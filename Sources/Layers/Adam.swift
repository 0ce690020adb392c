public import Kernels
public import Tensors

/// The optimiser Adam (Kingma & Ba 2015) with the moments of every parameter it has met, by path.
public struct Adam: Sendable {
  /// α; a schedule may change it between steps.
  public var learningRate: Float
  /// L2 penalty.
  public var weightDecay: Float
  /// The steps taken.
  public private(set) var step = 0
  /// m and v.
  public struct Moments: Sendable {
    /// The running means of the gradient and of its square, of the parameter's shape.
    public var first, second: Tensor

    /// Moments as a checkpoint kept them.
    public init(first: Tensor, second: Tensor) { (self.first, self.second) = (first, second) }
  }
  /// The moments by the parameter's path.
  public private(set) var moments: [String: Moments] = [:]

  /// Adam at its start.
  public init(learningRate: Float, weightDecay: Float = 0) {
    (self.learningRate, self.weightDecay) = (learningRate, weightDecay)
  }

  /// Goes on where another left off: as a checkpoint kept it.
  public mutating func restore(step: Int, moments: [String: Moments]) {
    (self.step, self.moments) = (step, moments)
  }

  /// One step for every parameter that has a gradient, whose norm over all of them is first clipped to `clipNorm`.
  /// - Returns: the norm before clipping. When it is not finite nothing is changed.
  @discardableResult
  public mutating func update(
    _ modules: inout some Module, clipNorm: Float? = nil, pool: ThreadPool = .shared
  ) -> Float {
    let norm = Float(modules.gradientNorm(pool: pool))
    guard norm.isFinite else { return norm }
    step += 1
    var numbers = AdamStep(learningRate: learningRate, weightDecay: weightDecay, step: step)
    // As torch.nn.utils.clip_grad_norm_.
    if let clipNorm { numbers.gradientScale = min(1, clipNorm / (norm + 1e-6)) }
    modules.visitParameters { parameter in
      guard let gradient = parameter.gradient else { return }
      let count = gradient.count
      // Taken out while they change, so that they have one owner and are not copied.
      var own =
        moments.removeValue(forKey: parameter.path)
        ?? Moments(first: Tensor(zeros: gradient.shape), second: Tensor(zeros: gradient.shape))
      adamUpdate(
        count: count, value: parameter.value.mutablePointer(), gradient: gradient.pointer,
        firstMoment: own.first.mutablePointer(), secondMoment: own.second.mutablePointer(), numbers,
        pool: pool)
      moments[parameter.path] = own
    }
    return norm
  }
}

extension Module {
  /// The norm of all gradients together, ‖g‖₂.
  public func gradientNorm(pool: ThreadPool = .shared) -> Double {
    let gradients = parameters.compactMap(\.gradient)
    let squares = gradients.map { sumOfSquares($0.pointer, count: $0.count, pool: pool) }
    return squares.reduce(0, +).squareRoot()
  }
}
