public import Support
public import Tensors

/// A random value of a parameter of a recurrent layer, for central differences: where a cell's gradient jumps, sums stay
/// far from there.
/// - Parameters:
///   - cell: its name in a model file.
///   - path: the parameter's; its shape is `shape`, and it is uniform in ±`limit` elsewhere.
public func smoothValue(
  ofCell cell: String, _ path: String, _ shape: Shape, limit: Float, using random: inout Random
) -> Tensor {
  let isBias = path.hasSuffix(".bias")
  switch cell {
  case "irnn":
    // Two units of three live, the others never do.
    if isBias { return Tensor((0..<shape.count).map { $0 % 3 == 0 ? -6 : 3 }, shape) }
    return Tensor(uniform: shape, limit: 0.15, using: &random)
  case "lstm-maxout":
    // i, f, o, g₁, g₂: one of the last two is far above the other.
    if isBias {
      let size = shape.count / 5
      let gates: [Float] = [-1.5, 0.5, 0, 1.5, -1.5]
      return Tensor(
        (0..<shape.count).map { gates[$0 / size] * ($0 / size > 2 && $0 % size % 2 == 0 ? -1 : 1) }, shape)
    }
    return Tensor(uniform: shape, limit: 0.2, using: &random)
  default: return Tensor(uniform: shape, limit: limit, using: &random)
  }
}

/// How far `gradient` is from the slopes of `loss` at `value`, as a share of the gradient's norm: the worst of a few
/// random directions and of the gradient's own.
///
/// Slopes are central differences of fourth order, (8(f(h) − f(−h)) − (f(2h) − f(−2h))) / 12h, so that steps may be
/// long enough to rise above float rounding. Each direction d has length 1; a wrong gradient δg shows as |δg·d|,
/// which for a random d is about ‖δg‖/√n: hence the factor √n. A gradient of zeros proves nothing: it
/// is infinitely far.
public func gradientDisagreement(
  _ gradient: Tensor, at value: Tensor, step: Float = 0.05, directions: Int = 3, seed: UInt64 = 1,
  loss: (Tensor) -> Double
) -> Double {
  precondition(gradient.shape == value.shape, "\(gradient.shape) against \(value.shape)")
  let g = gradient.scalars.map(Double.init)
  let norm = g.reduce(0) { $0 + $1 * $1 }.squareRoot()
  // What is no number is no gradient; `max` would pass it over.
  guard norm > 0, norm.isFinite else { return .infinity }
  let count = Double(g.count)
  var random = Random(seed: seed, stream: UInt64(g.count))
  var worst = 0.0
  for trial in 0...directions {
    let along = trial == 0
    let d = g.map { along ? $0 / norm : (random.next() & 1 == 0 ? 1 : -1) / count.squareRoot() }
    func moved(_ distance: Double) -> Double {
      loss(Tensor(zip(value.scalars, d).map { Float(Double($0) + distance * $1) }, value.shape))
    }
    let h = Double(step)
    let slope = (8 * (moved(h) - moved(-h)) - (moved(2 * h) - moved(-2 * h))) / (12 * h)
    let expected = zip(g, d).reduce(0) { $0 + $1.0 * $1.1 }
    guard slope.isFinite else { return .infinity }
    worst = max(worst, abs(slope - expected) * (along ? 1 : count.squareRoot()) / max(norm, 1e-3))
  }
  return worst
}
