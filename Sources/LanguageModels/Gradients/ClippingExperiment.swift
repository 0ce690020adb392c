public import Kernels
internal import Layers
internal import Support
internal import Tensors

/// Training a plain recurrent network whose gradients explode, with their norm clipped and without (Pascanu, Mikolov & Bengio
/// 2013): W_hh begins with a spectral radius above 1, and what is to be said at the end, which of two values came first,
/// is steps away.
public struct ClippingExperiment: Sendable, Equatable {
  /// The norm that gradients were clipped to; nil: none.
  public let clipNorm: Float?
  /// Nats at each step of training.
  public let losses: [Double]
  /// The gradient's norm before it is clipped, at each step.
  public let norms: [Double]

  /// H, T, B and the learning rate.
  private static let (hidden, steps, sequences, rate): (Int, Int, Int, Float) = (64, 50, 32, 0.1)

  /// So many steps of training, of the same start and the same sequences whatever is clipped.
  public init(
    clipNorm: Float?, radius: Double = 2, trainingSteps: Int = 300, seed: UInt64 = 1, on device: Device
  ) {
    self.clipNorm = clipNorm
    var network = Latch(hidden: Self.hidden, radius: radius, seed: seed, device)
    var optimizer = Optimizer(.sgd(), learningRate: Self.rate)
    var (losses, norms): ([Double], [Double]) = ([], [])
    for step in 0..<trainingSteps {
      losses.append(network.learn(Self.steps, Self.sequences, seed: seed, step: UInt64(step), device))
      norms.append(Double(optimizer.update(&network, clipNorm: clipNorm, on: device)))
    }
    self.losses = losses
    self.norms = norms
  }
}

/// A plain recurrent layer and two classes.
private struct Latch: Module {
  private var layer: Recurrent<RNN>
  private var output: SoftmaxProjection
  private var trace = Recurrent<RNN>.Trace()
  private var outputTrace = SoftmaxProjection.Trace()

  init(hidden: Int, radius: Double, seed: UInt64, _ device: Device) {
    var random = Random(seed: seed, stream: 10)
    layer = Recurrent<RNN>("rnn", inputs: 1, hidden: hidden) { $0.untrained(using: &random) }
    output = SoftmaxProjection("output", hidden: hidden, vocabularySize: 2) { $0.untrained(using: &random) }
    guard let weights = layer.hiddenWeight?.value,
      let eigen = GeneralEigen(weights.scalars.map(Double.init), order: hidden, on: device)
    else { return }
    let factor = Float(radius / eigen.spectralRadius)
    layer.hiddenWeight?.value = Tensor(weights.scalars.map { $0 * factor }, weights.shape)
  }

  mutating func visitParameters<E: Error>(_ visit: (inout Parameter) throws(E) -> Void) throws(E) {
    try layer.visitParameters(visit)
    try output.visitParameters(visit)
  }

  /// The gradients of one batch of sequences, and its loss: the first number of each is 1 or −1, the others are noise.
  mutating func learn(
    _ steps: Int, _ count: Int, seed: UInt64, step: UInt64, _ device: Device
  ) -> Double {
    var random = Random(seed: seed, stream: 11, step)
    let sequences = PackedSequences.packing(lengths: [Int](repeating: steps, count: count)).sequences
    let classes = (0..<count).map { _ in Int32(random.next() >> 63) }
    var x = Tensor(normal: [sequences.positions, 1], standardDeviation: 0.3, using: &random)
    for (row, label) in classes.enumerated() { x[row] = label == 0 ? -1 : 1 }
    layer.forward(sequences, x.matrix, into: &trace, on: device)
    let (positions, hidden) = (sequences.positions, layer.hidden)
    let last = positions - count
    var dh = Tensor(zeros: [positions, hidden])
    let memory = dh.mutableMatrix()
    let logProbs = output.forwardBackward(
      Matrix(trace.hiddenStates + last * hidden, rows: count, columns: hidden), targets: classes,
      dropout: .none, gradient: CrossEntropyGradient(scale: 1 / Float(count)),
      dh: memory.rows(last..<positions), trace: &outputTrace, on: device)
    var dx = Tensor(uninitialized: x.shape)
    layer.backward(
      sequences, x.matrix, dh: memory, dx: dx.mutableMatrix(), trace: &trace, on: device)
    return withExtendedLifetime(x) { -logProbs.reduce(0) { $0 + Double($1) } / Double(count) }
  }
}
