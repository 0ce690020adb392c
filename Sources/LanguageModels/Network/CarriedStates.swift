internal import Kernels
internal import Layers
internal import Tensors

/// The states of streams of a text, a row each, from one chunk to the next.
struct CarriedStates<Cell: RecurrentCell>: Sendable {
  /// [B, H] of each layer's states, h first.
  private(set) var layers: [[Tensor]]

  /// Zeros.
  init(layers: Int, streams: Int, hidden: Int) {
    let zero = Tensor(zeros: [streams, hidden])
    self.layers = (0..<layers).map { _ in (0..<Cell.states).map { _ in zero } }
  }

  /// B.
  var streams: Int { layers[0][0].shape[0] }

  /// Calls `body` with them as layers begin with them.
  func withCellStates<R>(_ body: ([CellStates]) -> R) -> R {
    withExtendedLifetime(self) { body(layers.map { CellStates($0.map(\.matrix)) }) }
  }

  /// Becomes what a forward pass ended with; streams that ended before its last step keep what they were.
  mutating func take(_ sequences: PackedSequences, from trace: RecurrentStack<Cell>.Trace) {
    guard let last = sequences.steps.last else { return }
    let hidden = layers[0][0].shape[1]
    for layer in layers.indices {
      let record = trace.record(ofLayer: layer, positions: sequences.positions, hidden: hidden)
      for state in record.states.indices {
        layers[layer][state].mutablePointer().update(
          from: record.states[state][last.range.lowerBound], count: last.rows * hidden)
      }
    }
  }

  /// Each by its name in a checkpoint.
  var named: [(name: String, tensor: Tensor)] {
    layers.enumerated().flatMap { layer, states in
      states.enumerated().map { ("state.\(layer).\($0)", $1) }
    }
  }

  /// Goes on where others were, which `tensor` gives by name and shape.
  mutating func restore<E: Error>(_ tensor: (String, Shape) throws(E) -> Tensor) throws(E) {
    for layer in layers.indices {
      for state in layers[layer].indices {
        layers[layer][state] = try tensor("state.\(layer).\(state)", layers[layer][state].shape)
      }
    }
  }
}
