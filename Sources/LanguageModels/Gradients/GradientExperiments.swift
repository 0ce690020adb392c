public import Kernels
internal import Layers
internal import Support
internal import Tensors

/// What the lectures say of gradients through time, shown by running it.
public enum GradientExperiments {
  /// The norm of the gradient by distance in an untrained layer of a cell.
  public struct Untrained: Sendable {
    /// The cell's name.
    public let cell: String
    /// Of its one layer.
    public let flow: GradientFlow
    /// Of its W_hh; nil where it is too large.
    public let spectrum: [RecurrentSpectrum]?
  }

  /// How sequences are made, and how long.
  public struct Sizes: Sendable {
    /// H, which is E too.
    public var hidden = 128
    /// T.
    public var steps = 100
    /// B.
    public var sequences = 8
    /// The same seed makes the same numbers.
    public var seed: UInt64 = 1

    /// The sizes above.
    public init() {}

    var packing: PackedSequences {
      PackedSequences.packing(lengths: [Int](repeating: steps, count: sequences)).sequences
    }
  }

  /// Of an untrained layer of each cell, as training begins with it: inputs are standard normal, the loss is h of the last
  /// step along a random direction.
  public static func untrained(_ sizes: Sizes, on device: Device) -> [Untrained] {
    recurrentCells.map { untrained($0, sizes, device) }
  }

  private static func untrained<Cell: RecurrentCell>(
    _ cell: Cell.Type, _ sizes: Sizes, _ device: Device
  ) -> Untrained {
    var random = Random(seed: sizes.seed, stream: 1)
    let stack = RecurrentStack<Cell>(Cell.name, inputs: sizes.hidden, hidden: sizes.hidden) {
      $0.untrained(using: &random)
    }
    return Untrained(
      cell: Cell.name, flow: flow(stack, sizes, inputs: 1, device),
      spectrum: RecurrentSpectrum.all(of: stack.layers[0], on: device))
  }

  private static func flow<Cell: RecurrentCell>(
    _ stack: RecurrentStack<Cell>, _ sizes: Sizes, inputs deviation: Float, _ device: Device
  ) -> GradientFlow {
    var random = Random(seed: sizes.seed, stream: 2)
    let sequences = sizes.packing
    let x = Tensor(
      normal: [sequences.positions, sizes.hidden], standardDeviation: deviation, using: &random)
    let direction = directions(sizes.sequences, sizes.hidden, &random)
    let flows = GradientFlow.layers(of: stack, sequences, x.matrix, on: device) { _ in direction }
    return withExtendedLifetime(x) { flows[0] }
  }

  /// Random vectors of length 1 [B, H].
  static func directions(_ count: Int, _ size: Int, _ random: inout Random) -> Tensor {
    var result = Tensor(normal: [count, size], standardDeviation: 1, using: &random)
    let memory = result.mutableMatrix()
    for row in 0..<count {
      let norm = (0..<size).reduce(Float(0)) { $0 + memory[row][$1] * memory[row][$1] }.squareRoot()
      for column in 0..<size { memory[row][column] /= max(norm, .leastNormalMagnitude) }
    }
    return result
  }

  /// A plain recurrent network whose W_hh was scaled to a spectral radius.
  public struct Scaled: Sendable {
    /// The spectral radius.
    public let radius: Double
    /// Where x is 0, and so h: tanh has slope 1 there, and every step multiplies by W_hh.
    public let atRest: GradientFlow
    /// Where x is standard normal, and tanh takes its share.
    public let driven: GradientFlow
  }

  /// Of one random W_hh scaled to each radius; none where its eigenvalues are not found.
  public static func scaled(to radii: [Double], _ sizes: Sizes, on device: Device) -> [Scaled] {
    var random = Random(seed: sizes.seed, stream: 3)
    let size = sizes.hidden
    let weights = Tensor(
      normal: [size, size], standardDeviation: 1 / Float(size).squareRoot(), using: &random)
    guard let eigen = GeneralEigen(weights.scalars.map(Double.init), order: size, on: device) else {
      return []
    }
    return radii.map { radius in
      let factor = Float(radius / eigen.spectralRadius)
      var random = Random(seed: sizes.seed, stream: 4)
      let stack = RecurrentStack<RNN>("rnn", inputs: size, hidden: size) { asked in
        asked.path.hasSuffix("weight_hh")
          ? Tensor(weights.scalars.map { $0 * factor }, asked.shape) : asked.untrained(using: &random)
      }
      return Scaled(
        radius: radius, atRest: flow(stack, sizes, inputs: 0, device),
        driven: flow(stack, sizes, inputs: 1, device))
    }
  }
}
