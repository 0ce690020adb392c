internal import Foundation
public import Kernels
internal import Layers

/// What a model makes of a text.
public struct TextScore: Sendable, Equatable {
  /// Tokens that were predicted: all but the first.
  public let count: Int
  /// How many of them the model does not know; they count as `<unk>`.
  public let unknownCount: Int
  /// −Σ log₂ p.
  public let bits: Double

  /// A score.
  public init(count: Int, unknownCount: Int, bits: Double) {
    self.count = count
    self.unknownCount = unknownCount
    self.bits = bits
  }

  /// Bits a token: per character, or per word with `</s>` counted as one.
  public var bitsPerToken: Double { count > 0 ? bits / Double(count) : 0 }
  /// 2 to the power of that.
  public var perplexity: Double { exp2(bitsPerToken) }
}

extension LanguageModel {
  /// Tokens of a stream of its own, at least, where a long text is read in several at once.
  static let shortestStream = 4096
  /// The most streams.
  static let mostStreams = 64

  /// Scores a text token by token, each given all before it. A text of many thousands of tokens is cut into up to 64
  /// streams that are read side by side, each from zero states: the same text, the same streams.
  public func score(_ text: EncodedText, on device: Device = .cpu) -> TextScore {
    let bits = network.bits(of: text.tokens, streams: nil, on: device)
    let first = text.tokens.first.map { $0 == vocabulary.unknown } ?? false
    return TextScore(
      count: max(0, text.tokens.count - 1), unknownCount: text.unknownCount - (first ? 1 : 0), bits: bits)
  }
}

extension LanguageNetwork {
  /// −Σ log₂ p of all tokens but the first.
  /// - Parameter streams: how many the text is cut into; nil: by its length.
  func bits(of tokens: [Int32], streams: Int?, on device: Device) -> Double {
    guard tokens.count >= 2 else { return 0 }
    let wanted =
      streams ?? min(LanguageModel.mostStreams, max(1, tokens.count / LanguageModel.shortestStream))
    let text = ScoredStreams(tokens, count: min(wanted, tokens.count - 1))
    var states = CarriedStates<Cell>(
      layers: stack.layers.count, streams: text.count, hidden: stack.hidden)
    var trace = LanguageTrace<Cell>()
    var nats = 0.0
    for chunk in text.chunks {
      let logProbabilities = logProbabilities(
        text.sequences(chunk), carrying: &states, trace: &trace, on: device)
      for value in logProbabilities { nats -= Double(value) }
    }
    return nats / log(2)
  }
}

/// A whole text in streams that are read side by side, every token of it: those of the first may have one more.
struct ScoredStreams {
  private let tokens: [Int32]
  /// B.
  let count: Int

  init(_ tokens: [Int32], count: Int) {
    self.tokens = tokens
    self.count = count
  }

  /// Positions of a chunk, about.
  private static let chunkSize = 2048

  private var shortest: Int { (tokens.count - 1) / count }
  /// The streams that have one token more.
  private var longer: Int { (tokens.count - 1) % count }

  /// The time steps of each chunk.
  var chunks: [Range<Int>] {
    let steps = shortest + (longer > 0 ? 1 : 0)
    let length = max(1, Self.chunkSize / count)
    return stride(from: 0, to: steps, by: length).map { $0..<min(steps, $0 + length) }
  }

  /// A chunk of all streams.
  func sequences(_ steps: Range<Int>) -> PackedSequences {
    var (inputs, targets, sizes): ([Int32], [Int32], [Int]) = ([], [], [])
    for step in steps {
      let live = step < shortest ? count : longer
      for stream in 0..<live {
        let place = stream * shortest + min(stream, longer) + step
        inputs.append(tokens[place])
        targets.append(tokens[place + 1])
      }
      sizes.append(live)
    }
    return PackedSequences(
      inputs: inputs, targets: targets, batchSizes: sizes,
      imageRows: [Int32](repeating: 0, count: sizes.first ?? 0))
  }
}
