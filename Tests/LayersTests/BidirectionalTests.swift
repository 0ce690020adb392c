import Kernels
import Layers
import Support
import Tensors
import TestSupport
import Testing

@Suite struct BidirectionalTests {
  private static let sequences = PackedSequences(
    inputs: Array(repeating: 1, count: 12), targets: Array(repeating: 1, count: 12),
    batchSizes: [4, 3, 3, 1, 1], imageRows: [0, 0, 0, 0])

  private static func output<Cell>(
    _ stack: BidirectionalStack<Cell>, _ x: Tensor, dropout: [Dropout] = []
  ) -> Tensor {
    var trace = BidirectionalStack<Cell>.Trace()
    var y = Tensor(uninitialized: [12, 2 * stack.hidden])
    stack.forward(
      sequences, x.matrix, dropout: dropout, into: y.mutableMatrix(), trace: &trace, on: .cpu)
    return withExtendedLifetime(x) { y }
  }

  @Test func sequencesAreReadFromTheirEnds() {
    let order = Self.sequences.reversed
    #expect(order.map { order[Int($0)] } == (0..<12).map { Int32($0) })
    let sequence = Self.sequences.sequenceOfPosition
    #expect(order.indices.allSatisfy { sequence[Int(order[$0])] == sequence[$0] })
    // Positions of the first sequence are 0, 4, 7, 10, 11; of the fourth 3 alone.
    #expect([0, 4, 7, 10, 11].map { order[$0] } == [11, 10, 7, 4, 0] && order[3] == 3)
  }

  /// Two layers of torch.nn.LSTM(bidirectional=True) over packed sequences: outputs and all gradients.
  @Test func agreesWithPyTorch() throws {
    let file = try SafetensorsFile(path: fixture("bidirectional.safetensors"))
    var stack = try BidirectionalStack<LSTM>("lstm", inputs: 4, hidden: 3, layers: 2) {
      (asked: ParameterSpecification) throws -> Tensor in
      try file.tensor(named: asked.path, shape: asked.shape)
    }
    #expect(try file.tensor(named: "batch_sizes").scalars == [4, 3, 3, 1, 1])
    let (x, dy) = (try file.tensor(named: "x"), try file.tensor(named: "dy"))
    var trace = BidirectionalStack<LSTM>.Trace()
    var y = Tensor(uninitialized: [12, 6])
    var dx = Tensor(uninitialized: [12, 4])
    stack.forward(Self.sequences, x.matrix, into: y.mutableMatrix(), trace: &trace, on: .cpu)
    stack.backward(
      Self.sequences, x.matrix, dy.matrix, into: dx.mutableMatrix(), trace: &trace, on: .cpu)
    #expect(relativeError(y, try file.tensor(named: "y")) < 1e-6)
    #expect(relativeError(dx, try file.tensor(named: "gradient.x")) < 1e-5)
    #expect(stack.parameters.count == 12)
    for parameter in stack.parameters {
      let expected = try file.tensor(named: "gradient." + parameter.path)
      #expect(relativeError(try #require(parameter.gradient), expected) < 1e-5, "\(parameter.path)")
    }
    withExtendedLifetime((x, dy)) {}
  }

  /// Of every cell that may be stacked, under dropout between the layers; of the others one layer.
  @Test(arguments: CellKind.all) func gradientsAreSlopes(kind: CellKind) throws {
    func check<Cell: RecurrentCell>(_ cell: Cell.Type) throws {
      var random = Random(seed: 31)
      let layers = Cell.directInput == nil ? 2 : 1
      let inputs = Cell.inputs(4, hidden: 5)
      var stack = BidirectionalStack<Cell>("cell", inputs: inputs, hidden: 5, layers: layers) {
        smoothValue(ofCell: Cell.name, $0.path, $0.shape, limit: 0.4, using: &random)
      }
      let x = Tensor(uniform: [12, inputs], limit: 1, using: &random)
      let dy = Tensor(uniform: [12, 10], limit: 1, using: &random)
      let dropout = (1..<layers).map { Dropout(rate: 0.3, seed: UInt64($0)) }
      func loss(_ stack: BidirectionalStack<Cell>, _ x: Tensor) -> Double {
        zip(Self.output(stack, x, dropout: dropout).scalars, dy.scalars).reduce(0) {
          $0 + Double($1.0) * Double($1.1)
        }
      }
      var trace = BidirectionalStack<Cell>.Trace()
      var y = Tensor(uninitialized: [12, 10])
      var dx = Tensor(uninitialized: x.shape)
      stack.forward(
        Self.sequences, x.matrix, dropout: dropout, into: y.mutableMatrix(), trace: &trace, on: .cpu)
      stack.backward(
        Self.sequences, x.matrix, dy.matrix, into: dx.mutableMatrix(), trace: &trace, on: .cpu)
      withExtendedLifetime((x, dy)) {}
      for (index, parameter) in stack.parameters.enumerated() {
        let error = gradientDisagreement(
          try #require(parameter.gradient), at: parameter.value, step: 0.03
        ) { value in
          var moved = stack
          var at = 0
          moved.visitParameters {
            if at == index { $0.value = value }
            at += 1
          }
          return loss(moved, x)
        }
        #expect(error < 3e-3, "\(parameter.path)")
      }
      #expect(gradientDisagreement(dx, at: x, step: 0.03) { loss(stack, $0) } < 3e-3)
    }
    try check(kind.cell)
  }

  /// Each sequence of a batch gives what it gives alone.
  @Test func packingChangesNothing() {
    var random = Random(seed: 32)
    let stack = BidirectionalStack<GRU>("gru", inputs: 4, hidden: 5, layers: 2) {
      $0.untrained(using: &random)
    }
    let x = Tensor(uniform: [12, 4], limit: 1, using: &random)
    let together = Self.output(stack, x)
    let sequence = Self.sequences.sequenceOfPosition
    for k in 0..<4 {
      let positions = sequence.indices.filter { sequence[$0] == k }
      let alone = PackedSequences(
        inputs: positions.map { _ in 1 }, targets: positions.map { _ in 1 },
        batchSizes: positions.map { _ in 1 }, imageRows: [0])
      let own = Tensor(positions.flatMap { x.row($0).scalars }, [positions.count, 4])
      var y = Tensor(uninitialized: [positions.count, 10])
      var trace = BidirectionalStack<GRU>.Trace()
      stack.forward(alone, own.matrix, into: y.mutableMatrix(), trace: &trace, on: .cpu)
      withExtendedLifetime(own) {}
      #expect(relativeError(y.scalars, positions.flatMap { together.row($0).scalars }) < 1e-6)
    }
  }
}
