public import Kernels
internal import Layers
public import Tensors

/// What a layer computed at each of T steps over a text.
public struct LayerActivations: Sendable {
  /// Every state after each step [T, H], h first.
  public let states: [Tensor]
  /// The activated gates of each step [T, G·H], as the cell orders them.
  public let gates: Tensor
  /// ln p of the token after each step [T − 1].
  public let logProbabilities: [Float]

  /// h [T, H].
  public var hidden: Tensor { states[0] }
}

extension LanguageModel {
  /// Reads a text from its beginning, and keeps all that a layer computes: row t was written when token t had been read.
  /// - Parameter layer: from 0, the lowest.
  public func activations(of tokens: [Int32], layer: Int, on device: Device = .cpu) -> LayerActivations {
    network.activations(of: tokens, layer: layer, on: device)
  }
}

extension LanguageNetwork {
  /// As the model says.
  func activations(of tokens: [Int32], layer: Int, on device: Device) -> LayerActivations {
    precondition(stack.layers.indices.contains(layer), "layer \(layer) of \(stack.layers.count)")
    let (steps, size) = (tokens.count, stack.hidden)
    var states = (0..<Cell.states).map { _ in Tensor(uninitialized: [steps, size]) }
    var gates = Tensor(uninitialized: [steps, Cell.gates * size])
    var logProbabilities: [Float] = []
    var carried = CarriedStates<Cell>(layers: stack.layers.count, streams: 1, hidden: size)
    var trace = LanguageTrace<Cell>()
    let length = 512
    for first in stride(from: 0, to: steps, by: length) {
      let range = first..<min(steps, first + length)
      let inputs = Array(tokens[range])
      // The last token of all has no target: any will do, and its likelihood is left out.
      let targets = Array(tokens[(first + 1)..<min(steps, range.upperBound + 1)])
      let chunk = PackedSequences(
        inputs: inputs, targets: targets + [Int32](repeating: 0, count: inputs.count - targets.count),
        batchSizes: [Int](repeating: 1, count: inputs.count), imageRows: [0])
      logProbabilities += self.logProbabilities(chunk, carrying: &carried, trace: &trace, on: device)
        .prefix(targets.count)
      let record = trace.record(ofLayer: layer, positions: range.count, hidden: size)
      for state in states.indices {
        (states[state].mutablePointer() + first * size).update(
          from: record.states[state].base, count: range.count * size)
      }
      (gates.mutablePointer() + first * Cell.gates * size).update(
        from: record.gates.base, count: range.count * Cell.gates * size)
    }
    return LayerActivations(states: states, gates: gates, logProbabilities: logProbabilities)
  }
}
