public import Support

extension Tensor {
  /// Uniform scalars in -limit..<limit.
  public init(uniform shape: Shape, limit: Float, using random: inout Random) {
    self.init(uninitialized: shape)
    let base = mutablePointer()
    for i in 0..<shape.count { base[i] = (random.uniform() * 2 - 1) * limit }
  }

  /// Normal scalars of mean 0.
  public init(normal shape: Shape, standardDeviation: Float, using random: inout Random) {
    self.init(uninitialized: shape)
    let base = mutablePointer()
    for i in 0..<shape.count { base[i] = random.normal() * standardDeviation }
  }
}
