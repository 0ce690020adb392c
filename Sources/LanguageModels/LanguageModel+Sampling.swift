internal import Decoding
public import Kernels
internal import Layers
internal import Support

/// How a text is drawn.
public struct TextSampling: Sendable {
  /// From which tokens each is drawn, and how boldly.
  public var choice: ClassSampling
  /// Names the random numbers: the same seed, the same text.
  public var seed: UInt64
  /// Tokens, at most.
  public var length: Int

  /// A way.
  public init(_ choice: ClassSampling = ClassSampling(), seed: UInt64 = 0, length: Int) {
    self.choice = choice
    self.seed = seed
    self.length = length
  }
}

extension LanguageModel {
  /// Draws a text token by token, each with its probability given those before it, as the sampling shapes it. What
  /// stands for unknown characters or words is never drawn.
  /// - Parameters:
  ///   - prime: what is read first. Words begin a sentence; where there is none, a text begins after the end of a line
  ///     or sentence.
  ///   - next: called with each token; false ends the text.
  public func sample(
    _ sampling: TextSampling, after prime: [Int32], on device: Device = .cpu,
    next: (Int32) throws -> Bool
  ) rethrows {
    let begins = prime.isEmpty || vocabulary.unit == .words
    try network.sample(
      sampling, after: (begins ? [vocabulary.beginning ?? 0] : []) + prime,
      excluding: vocabulary.unspoken, on: device, next: next)
  }

  /// The tokens of a text that is to be gone on from.
  /// - Throws: `LanguageModelError.unknown` for a character that the model does not know, though it has an id for others.
  public func tokens(of prime: String) throws(LanguageModelError) -> [Int32] {
    if let words = vocabulary.words { return words.encode(words.tokenizer.tokens(prime)) }
    var tokens: [Int32] = []
    for scalar in prime.unicodeScalars {
      guard let id = vocabulary.id(of: scalar), id != vocabulary.unknown else {
        throw .unknown(String(scalar))
      }
      tokens.append(id)
    }
    return tokens
  }
}

extension LanguageNetwork {
  /// As the model says.
  fileprivate func sample(
    _ sampling: TextSampling, after prime: [Int32], excluding excluded: [Int32], on device: Device,
    next: (Int32) throws -> Bool
  ) rethrows {
    var reader = TokenReader(self)
    for token in prime.dropLast() { reader.read(token, self, on: device) }
    var random = Random(seed: sampling.seed, stream: 0)
    var last = prime[prime.count - 1]
    for _ in 0..<sampling.length {
      reader.read(last, self, on: device)
      let drawn = reader.scores(self, on: device).drawn(
        sampling.choice, excluding: excluded, uniforms: [Double(random.next() >> 11) * 0x1p-53])
      // A model whose numbers are not finite leaves nothing to draw.
      guard drawn.ids[0] >= 0 else { return }
      last = drawn.ids[0]
      guard try next(last) else { return }
    }
  }
}

/// One text that a network reads token by token, and the memory of a step.
private struct TokenReader<Cell: RecurrentCell> {
  private var states: RecurrentStates<Cell>
  private var inputs = Buffer()
  private var sums = Buffer()
  private var logits = Buffer()

  init<Network: LanguageNetwork>(_ network: Network) where Network.Cell == Cell {
    states = RecurrentStates(layers: network.stack.layers.count)
  }

  /// Reads one.
  mutating func read<Network: LanguageNetwork>(
    _ token: Int32, _ network: Network, on device: Device
  ) where Network.Cell == Cell {
    let layer = network.stack.layers[0]
    let input = sums.reserve(1, layer.sums)
    let x = network.input([token], in: &inputs, on: device)
    layer.inputSums(x, into: input, on: device)
    network.stack.step(rows: 1, input: SharedRows(Matrix(input)), states: &states, on: device)
  }

  /// What may follow.
  mutating func scores<Network: LanguageNetwork>(
    _ network: Network, on device: Device
  ) -> TokenScores where Network.Cell == Cell {
    let memory = logits.reserve(1, network.vocabularySize)
    network.output.linear.product(states.top, into: memory, on: device)
    return TokenScores(memory, bias: network.output.linear.bias?.value.pointer, on: device)
  }
}
