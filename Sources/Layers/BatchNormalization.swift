public import Kernels
public import Tensors

/// Batch normalisation of the channels of maps with ReLU after it (Ioffe & Szegedy 2015):
/// y = max(0, γ (x − μ) / √(σ² + ε) + β), a row of x [P, K] for each pixel of each image.
///
/// As torch's BatchNorm2d with its usual numbers: in training μ and σ² are those of the batch, and the running ones move
/// by a tenth towards them, towards the unbiased variance; elsewhere the running ones count.
public struct BatchNormalization: Module {
  /// γ and β [K].
  public var weight, bias: Parameter
  /// The running mean and variance [K]: no gradient changes them.
  public var runningMean, runningVariance: Parameter

  /// ε.
  public static let epsilon = 1e-5
  /// What the running statistics move by.
  static let momentum = 0.1

  /// Which mean and variance count.
  public enum Statistics: Sendable {
    /// Those of the batch.
    case batch
    /// The running ones.
    case running
  }

  /// `path`.weight, .bias, .running_mean and .running_var, which leave x as it is at first.
  public init<E: Error>(
    _ path: String, channels: Int, from source: (ParameterSpecification) throws(E) -> Tensor
  ) throws(E) {
    weight = try Parameter(path + ".weight", [channels], .constant(1), from: source)
    bias = try Parameter(path + ".bias", [channels], .zero, from: source)
    runningMean = try Parameter(path + ".running_mean", [channels], .zero, learns: false, from: source)
    runningVariance = try Parameter(
      path + ".running_var", [channels], .constant(1), learns: false, from: source)
  }

  /// Calls `visit` with γ and β, then the running mean and variance.
  public mutating func visitParameters<E: Error>(_ visit: (inout Parameter) throws(E) -> Void) throws(E) {
    try visit(&weight)
    try visit(&bias)
    try visit(&runningMean)
    try visit(&runningVariance)
  }

  /// What the backward pass and the running statistics need of a forward pass.
  public struct Trace: Sendable {
    var statistics = Statistics.running
    var means: [Double] = []
    var variances: [Double] = []
    /// P.
    var rows = 0

    /// Nothing traced yet.
    public init() {}

    /// 1 / √(σ² + ε).
    var inverses: [Double] { variances.map { 1 / ($0 + BatchNormalization.epsilon).squareRoot() } }
  }

  /// y of x, both [P, K].
  public func forward(
    _ x: Matrix, _ statistics: Statistics, into y: MutableMatrix, _ trace: inout Trace, on device: Device
  ) {
    trace.statistics = statistics
    trace.rows = x.rows
    switch statistics {
    case .batch: (trace.means, trace.variances) = columnMoments(x, on: device)
    case .running:
      trace.means = runningMean.value.scalars.map(Double.init)
      trace.variances = runningVariance.value.scalars.map(Double.init)
    }
    let inverses = trace.inverses
    let scale = inverses.indices.map { Double(weight.value[$0]) * inverses[$0] }
    let shift = inverses.indices.map { Double(bias.value[$0]) - trace.means[$0] * scale[$0] }
    scaleShiftReLU(x, scale: scale.map { Float($0) }, shift: shift.map { Float($0) }, into: y, on: device)
  }

  /// Moves the running statistics towards those of the batch that a forward pass saw.
  public mutating func follow(_ trace: Trace) {
    guard trace.statistics == .batch else { return }
    // Of a single pixel there is no unbiased variance: it counts as none.
    let unbiased = Double(trace.rows) / Double(max(1, trace.rows - 1))
    func moved(_ value: Float, _ target: Double) -> Float {
      Float((1 - Self.momentum) * Double(value) + Self.momentum * target)
    }
    for channel in trace.means.indices {
      runningMean.value[channel] = moved(runningMean.value[channel], trace.means[channel])
      runningVariance.value[channel] = moved(
        runningVariance.value[channel], trace.variances[channel] * unbiased)
    }
  }

  /// δγ, δβ, and δx in place of δy [P, K], which ReLU has let through already.
  /// - Parameter accumulate: add to δγ and δβ: these are further images of one batch.
  public mutating func backward(
    _ x: Matrix, _ dy: MutableMatrix, accumulate: Bool = false, _ trace: Trace, on device: Device
  ) {
    let inverses = trace.inverses
    let centre = trace.means.map { Float($0) }
    let (sums, products) = columnCovariances(x, around: centre, Matrix(dy), on: device)
    let (dWeight, dBias) = (weight.gradientPointer(), bias.gradientPointer())
    let count = Double(max(1, trace.rows))
    var (gradient, deviation, constant) = ([Float](), [Float](), [Float]())
    for channel in inverses.indices {
      let before = accumulate ? (weight: dWeight[channel], bias: dBias[channel]) : (weight: 0, bias: 0)
      dWeight[channel] = before.weight + Float(products[channel] * inverses[channel])
      dBias[channel] = before.bias + Float(sums[channel])
      let inverse = inverses[channel]
      let scale = Double(weight.value[channel]) * inverse
      gradient.append(Float(scale))
      guard trace.statistics == .batch else {
        deviation.append(0)
        constant.append(0)
        continue
      }
      deviation.append(Float(-scale * inverse * inverse * products[channel] / count))
      constant.append(Float(-scale * sums[channel] / count))
    }
    NormalizationGradient(gradient: gradient, deviation: deviation, constant: constant)
      .apply(x, around: centre, to: dy, on: device)
  }
}
