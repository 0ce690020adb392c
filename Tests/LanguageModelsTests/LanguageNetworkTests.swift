import Foundation
import Decoding
import Kernels
import Layers
import Support
import TestSupport
import Tensors
import Testing

@testable import LanguageModels

/// An untrained network of seven characters.
func tinyNetwork(
  _ cell: CellName, layers: Int = 1, embedding: Int = 0, isResidual: Bool = false, limit: Float? = nil
) -> (description: LanguageModelDescription, network: any LanguageNetwork) {
  let vocabulary = TextVocabulary(
    of: CharacterText(Array("\nabcdef".unicodeScalars)[...]), minimumCount: 1, hasUnknown: false)
  let size = cell.cell.directInput == nil ? embedding : 5
  let description = LanguageModelDescription(
    vocabulary, cell: cell, layers: layers, hiddenSize: 5, embeddingSize: size, isResidual: isResidual)
  var random = Random(seed: 5)
  let network = description.network { parameter in
    guard let limit else { return parameter.untrained(using: &random) }
    let name = parameter.path.hasPrefix("layers") ? cell.rawValue : ""
    return smoothValue(ofCell: name, parameter.path, parameter.shape, limit: limit, using: &random)
  }
  return (description, network)
}

/// Some text of seven characters.
let tinyTokens = tokens(61)

/// So many characters of it.
func tokens(_ count: Int) -> [Int32] {
  (0..<count).map { (place: Int) -> Int32 in
    let number = place * place + place / 3
    return Int32(number % 7)
  }
}

@Suite struct LanguageNetworkTests {
  /// Gradients through a chunk that goes on from another, by central differences.
  @Test(
    arguments: CellName.allCases,
    [(1, 0, false), (1, 4, false), (3, 4, true)] as [(Int, Int, Bool)])
  func gradientsAreSlopes(cell: CellName, shape: (layers: Int, embedding: Int, isResidual: Bool)) {
    // Of rectified units under others some are near their corner, whatever the weights.
    guard cell.cell != IRNN.self || shape.layers == 1 else { return }
    func check<Network: LanguageNetwork>(_ network: Network) {
      let streams = TextStreams(tinyTokens, count: 2, chunkLength: 4)
      var begun = CarriedStates<Network.Cell>(layers: shape.layers, streams: 2, hidden: 5)
      var trace = LanguageTrace<Network.Cell>()
      _ = network.logProbabilities(streams.chunk(0), carrying: &begun, trace: &trace, on: .cpu)
      var learner = network
      let rates = DropoutPass.Rates(embedding: 0.2, output: 0.2, layers: 0.2)
      let pass = LanguagePass(dropout: DropoutPass(rates, seed: 3), isSummed: true)
      var states = begun
      _ = learner.learn(streams.chunk(1), pass, carrying: &states, trace: &trace, on: .cpu)
      for parameter in learner.parameters {
        let error = gradientDisagreement(parameter.gradient!, at: parameter.value, step: 0.02) { value in
          var moved = network
          moved.visitParameters { if $0.path == parameter.path { $0.value = value } }
          var states = begun
          let logProbabilities = moved.learn(
            streams.chunk(1), pass, carrying: &states, trace: &trace, on: .cpu)
          return -logProbabilities.reduce(0) { $0 + Double($1) }
        }
        #expect(error < 5e-3, "\(parameter.path)")
      }
    }
    check(
      tinyNetwork(
        cell, layers: shape.layers, embedding: shape.embedding, isResidual: shape.isResidual, limit: 0.5
      ).network)
  }

  /// The state is carried over: chunk by chunk is what the whole text is at once.
  @Test(arguments: CellName.allCases) func chunksGoOnFromEachOther(cell: CellName) {
    func check<Network: LanguageNetwork>(_ network: Network) {
      func logProbabilities(_ length: Int) -> [Float] {
        let streams = TextStreams(tinyTokens, count: 1, chunkLength: length)
        var states = CarriedStates<Network.Cell>(layers: 2, streams: 1, hidden: 5)
        var trace = LanguageTrace<Network.Cell>()
        return (0..<streams.chunks).flatMap {
          network.logProbabilities(streams.chunk($0), carrying: &states, trace: &trace, on: .cpu)
        }
      }
      let whole = logProbabilities(59)
      #expect(whole.count == 59)
      #expect(absoluteError(logProbabilities(7), Array(whole.prefix(56))) < 1e-5)
    }
    check(tinyNetwork(cell, layers: 2, embedding: 3).network)
  }

  /// Adding a mean over summing is a factor on the gradient.
  @Test func meansAreSumsOverTheirNumber() {
    func gradient(_ isSummed: Bool) -> [Float] {
      func learn<Network: LanguageNetwork>(_ network: Network) -> [Float] {
        var network = network
        var states = CarriedStates<Network.Cell>(layers: 1, streams: 2, hidden: 5)
        var trace = LanguageTrace<Network.Cell>()
        let chunk = TextStreams(tinyTokens, count: 2, chunkLength: 4).chunk(0)
        _ = network.learn(
          chunk, LanguagePass(isSummed: isSummed), carrying: &states, trace: &trace, on: .cpu)
        return network.parameters.flatMap { $0.gradient!.scalars }
      }
      return learn(tinyNetwork(.lstm).network)
    }
    #expect(relativeError(gradient(false).map { $0 * 8 }, gradient(true)) < 1e-6)
  }
}

@Suite struct LanguageModelTests {
  @Test(arguments: [(0, false), (4, true)]) func survivesItsFile(shape: (embedding: Int, isResidual: Bool))
    throws
  {
    try withTemporaryFolder { folder in
      let (description, network) = tinyNetwork(
        .lstm, layers: 2, embedding: shape.embedding, isResidual: shape.isResidual)
      var named = description
      named.training = ["step": "3"]
      try LanguageModel(named, network).write(to: folder + "/model.safetensors")
      let read = try LanguageModel(contentsOf: folder + "/model.safetensors")
      #expect(read.description == named)
      #expect(read.network.parameters.map(\.value) == network.parameters.map(\.value))
    }
  }

  /// What a layer computes is what the scores come from; a text that is read in chunks is scored as one that is not.
  @Test(arguments: CellName.allCases) func activationsAreThoseOfTheScores(cell: CellName) {
    let (description, network) = tinyNetwork(cell, layers: 2, embedding: 3)
    let model = LanguageModel(description, network)
    let tokens = LanguageModelsTests.tokens(1100)
    let seen = model.activations(of: tokens, layer: 1)
    #expect(seen.hidden.shape == [1100, 5] && seen.states.count == cell.cell.states)
    #expect(seen.gates.shape == [1100, 5 * cell.cell.gates])
    let bits = network.bits(of: tokens, streams: 1, on: .cpu)
    var nats = 0.0
    for value in seen.logProbabilities { nats -= Double(value) }
    let ratio: Double = nats / log(2) / bits
    #expect(abs(ratio - 1) < 1e-6 && seen.logProbabilities.count == 1099)
    // The projection of a row of h is what follows.
    func logits(_ row: Int) -> [Float] {
      var y = Tensor(zeros: [1, 7])
      network.output.linear.forward(
        seen.hidden.matrix.rows(row..<row + 1), into: y.mutableMatrix(), on: .cpu)
      return y.scalars
    }
    for row in [0, 511, 512, 1098] {
      let y = logits(row).map(Double.init)
      let largest = y.max()!
      var sum = 0.0
      for value in y { sum += exp(value - largest) }
      let expected: Double = y[Int(tokens[row + 1])] - largest - log(sum)
      let found = Double(seen.logProbabilities[row])
      #expect(abs(expected - found) < 1e-4)
    }
  }

  /// Drawn tokens come as often as the model says, are the same for a seed, and others for another.
  @Test func samplesAreTheModels() {
    let (description, network) = tinyNetwork(CellName(GRU.self), limit: 1.5)
    let model = LanguageModel(description, network)
    func sample(_ sampling: TextSampling, after prime: [Int32] = [2, 3]) -> [Int32] {
      var drawn: [Int32] = []
      model.sample(sampling, after: prime) {
        drawn.append($0)
        return true
      }
      return drawn
    }
    let one = sample(TextSampling(seed: 1, length: 40))
    let again = sample(TextSampling(seed: 1, length: 40))
    #expect(one.count == 40 && again == one)
    #expect(sample(TextSampling(seed: 2, length: 40)) != one)
    // What may follow the prime, by the scores.
    let expected = (0..<7).map { token in
      Double(model.activations(of: [2, 3, token], layer: 0).logProbabilities[1])
    }
    var counts = [Double](repeating: 0, count: 7)
    for seed in 0..<2000 { counts[Int(sample(TextSampling(seed: UInt64(seed), length: 1))[0])] += 1 }
    for token in 0..<7 {
      let p: Double = exp(expected[token])
      let share: Double = counts[token] / 2000
      let deviation: Double = (p * (1 - p) / 2000).squareRoot()
      #expect(abs(share - p) < 5 * deviation + 1e-3)
    }
    // The likeliest alone.
    let greedy = sample(TextSampling(ClassSampling(topK: 1), seed: 9, length: 5))
    let likeliest = expected.indices.max { expected[$0] < expected[$1] }
    #expect(likeliest.map { Int32($0) } == greedy[0])
    let cold = sample(TextSampling(ClassSampling(temperature: 0.001), length: 5))
    #expect(greedy == cold)
  }

  @Test func aPrimeHasOnlyKnownCharacters() throws {
    let (description, network) = tinyNetwork(CellName(RNN.self))
    let model = LanguageModel(description, network)
    #expect(try model.tokens(of: "ab\n") == [1, 2, 0])
    #expect(throws: LanguageModelError.unknown("x")) { try model.tokens(of: "ax") }
  }
}
