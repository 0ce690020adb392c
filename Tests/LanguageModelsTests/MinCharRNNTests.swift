import Foundation
import Kernels
import Layers
import Support
import TestSupport
import Tensors
import Testing

@testable import LanguageModels

/// The equations of min-char-rnn in double precision, one number at a time, as its NumPy has them.
private struct MinCharRNN {
  let hidden: Int
  let vocabulary: Int
  /// W_xh [H, V], W_hh [H, H], b_h [H], W_hy [V, H], b_y [V]: in the order of the network's parameters.
  var values: [[Double]]
  var memory: [[Double]]
  var state: [Double]

  init(_ network: some LanguageNetwork) {
    hidden = network.stack.hidden
    vocabulary = network.vocabularySize
    values = network.parameters.map { $0.value.scalars.map(Double.init) }
    memory = values.map { $0.map { _ in 0 } }
    state = [Double](repeating: 0, count: hidden)
  }

  /// One step: the loss over a chunk, backwards, Adagrad.
  mutating func step(_ inputs: [Int32], _ targets: [Int32], rate: Double) -> Double {
    let (h, v) = (hidden, vocabulary)
    var (states, probabilities): ([[Double]], [[Double]]) = ([state], [])
    var loss = 0.0
    for (input, target) in zip(inputs, targets) {
      var next = values[2]
      for i in 0..<h {
        var sum = next[i] + values[0][i * v + Int(input)]
        for j in 0..<h { sum += values[1][i * h + j] * states[states.count - 1][j] }
        next[i] = tanh(sum)
      }
      states.append(next)
      var y = values[4]
      for k in 0..<v { for j in 0..<h { y[k] += values[3][k * h + j] * next[j] } }
      let largest = y.max()!
      y = y.map { exp($0 - largest) }
      let sum = y.reduce(0, +)
      probabilities.append(y.map { $0 / sum })
      loss -= log(probabilities[probabilities.count - 1][Int(target)])
    }
    var gradients = values.map { $0.map { _ in 0.0 } }
    var later = [Double](repeating: 0, count: h)
    for t in inputs.indices.reversed() {
      var dy = probabilities[t]
      dy[Int(targets[t])] -= 1
      let (now, before) = (states[t + 1], states[t])
      var dh = later
      for k in 0..<v {
        gradients[4][k] += dy[k]
        for j in 0..<h {
          gradients[3][k * h + j] += dy[k] * now[j]
          dh[j] += values[3][k * h + j] * dy[k]
        }
      }
      later = [Double](repeating: 0, count: h)
      for i in 0..<h {
        let raw = (1 - now[i] * now[i]) * dh[i]
        gradients[2][i] += raw
        gradients[0][i * v + Int(inputs[t])] += raw
        for j in 0..<h {
          gradients[1][i * h + j] += raw * before[j]
          later[j] += values[1][i * h + j] * raw
        }
      }
    }
    for index in values.indices {
      for place in values[index].indices {
        let gradient = min(5, max(-5, gradients[index][place]))
        memory[index][place] += gradient * gradient
        values[index][place] -= rate * gradient / (memory[index][place] + 1e-8).squareRoot()
      }
    }
    state = states[states.count - 1]
    return loss
  }
}

@Suite struct MinCharRNNTests {
  private struct Golden: Decodable {
    struct Curve: Decodable {
      let rate: Double
      let losses, smooth: [Double]
    }
    let text: String
    let seed: UInt64
    let curves: [Curve]

    static let read = Result {
      let data = try Data(contentsOf: URL(fileURLWithPath: fixture("min_char_rnn.json")))
      return try JSONDecoder().decode(Golden.self, from: data)
    }
  }

  /// A run of the preset is the curve of NumPy: every loss of 1,000 steps, and the smoothed ones.
  @Test(arguments: [0, 1]) func runsAreTheCurvesOfNumPy(number: Int) throws {
    let golden = try Golden.read.get()
    let curve = golden.curves[number]
    try withTemporaryFolder { folder in
      var configuration = LanguageModelConfiguration()
      try #require(LanguageModelPreset(named: "min-char-rnn")).apply(to: &configuration)
      #expect(configuration.learningRate == 0.1)
      configuration.learningRate = curve.rate
      configuration.text = [try textFile(folder, Array(golden.text.utf8))]
      configuration.validationShare = 0
      configuration.seed = golden.seed
      configuration.epochs = 1000
      configuration.steps = curve.losses.count
      configuration.validateEvery = 1 << 30
      configuration.logEvery = 1
      try LanguageModelRun(configuration, folder: folder + "/run").run()
      let lines = try String(contentsOfFile: folder + "/run/log.jsonl", encoding: .utf8).split(
        separator: "\n")
      let steps = lines.compactMap {
        try? JSONDecoder().decode(LanguageModelRecord.Step.self, from: Data($0.utf8))
      }
      #expect(absoluteError(steps.map { $0.loss * 25 }, curve.losses) < 1e-3)
      #expect(absoluteError(steps.map { $0.smooth_loss * 25 }, curve.smooth) < 1e-3)
    }
  }

  /// At the gist's own rate training is chaotic: no two programs have one curve for long. But every single step is that of
  /// its equations, from the weights that the steps before have left.
  @Test func everyStepAtItsOwnRateIsItsEquations() throws {
    let golden = try Golden.read.get()
    let text = CharacterText(Array(golden.text.unicodeScalars)[...])
    let vocabulary = TextVocabulary(of: text, minimumCount: 1, hasUnknown: false)
    let tokens = try vocabulary.encode(text.scalars)
    var random = Random(seed: 3)
    var network = RecurrentLanguageModel<RNN>(
      LanguageModelDescription(vocabulary, cell: CellName(RNN.self), hiddenSize: 24)
    ) { Tensor(normal: $0.shape, standardDeviation: 0.01, using: &random) }
    var oracle = MinCharRNN(network)
    var optimizer = Optimizer(.adagrad(initial: 1e-8), learningRate: 0.1)
    var states = CarriedStates<RNN>(layers: 1, streams: 1, hidden: 24)
    var trace = LanguageTrace<RNN>()
    let streams = TextStreams(tokens, count: 1, chunkLength: 25)
    var (worst, worstWeight, clipped) = (0.0, 0.0, 0)
    for step in 0..<1000 {
      let chunk = streams.chunk(step % streams.chunks)
      if step % streams.chunks == 0 {
        states = CarriedStates(layers: 1, streams: 1, hidden: 24)
        oracle.state = oracle.state.map { _ in 0 }
      }
      let logProbabilities = network.learn(
        chunk, LanguagePass(isSummed: true), carrying: &states, trace: &trace, on: .cpu)
      let loss = -logProbabilities.reduce(0) { $0 + Double($1) }
      let gradients = network.parameters.map { $0.gradient! }
      clipped += gradients.count { $0.scalars.contains { abs($0) > 5 } }
      optimizer.update(&network, clipValue: 5, on: .cpu)
      worst = max(worst, abs(oracle.step(chunk.inputs, chunk.targets, rate: 0.1) - loss))
      // Both go on from where this one is.
      for (index, parameter) in network.parameters.enumerated() {
        let value = parameter.value.scalars.map(Double.init)
        worstWeight = max(worstWeight, absoluteError(value, oracle.values[index]))
        oracle.values[index] = value
        oracle.memory[index] = optimizer.moments[parameter.path]![0].scalars.map { Double($0) - 1e-8 }
      }
      oracle.state = states.layers[0][0].scalars.map(Double.init)
    }
    #expect(worst < 1e-3 && worstWeight < 1e-3)
    #expect(clipped > 0)
  }
}
