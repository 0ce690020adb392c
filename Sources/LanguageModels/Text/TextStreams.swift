internal import Layers

/// A text cut into B streams of one length, which are read side by side T tokens at a time: what truncated backpropagation
/// through time goes over. The state at the end of a chunk is that which the next begins with.
struct TextStreams {
  let tokens: [Int32]
  /// B.
  let count: Int
  /// The tokens of a stream that are read.
  let length: Int
  /// T.
  let chunkLength: Int

  /// At most `count` streams, fewer of a text that has not so many tokens; it has at least two.
  init(_ tokens: [Int32], count: Int, chunkLength: Int) {
    precondition(tokens.count >= 2)
    self.tokens = tokens
    self.count = min(count, tokens.count - 1)
    length = (tokens.count - 1) / self.count
    self.chunkLength = min(chunkLength, length)
  }

  /// How many chunks an epoch has; what is left of each stream, at most T tokens, is not read. (As in min-char-rnn,
  /// that is T where the length is a multiple of it.)
  var chunks: Int { max(1, (length - 1) / chunkLength) }

  /// Tokens that are predicted in each chunk.
  var chunkTokens: Int { count * chunkLength }

  /// A chunk of all streams, a row each.
  func chunk(_ index: Int) -> PackedSequences {
    let first = index * chunkLength
    var inputs = [Int32](repeating: 0, count: chunkTokens)
    var targets = inputs
    var position = 0
    for step in first..<first + chunkLength {
      for stream in 0..<count {
        let place = stream * length + step
        inputs[position] = tokens[place]
        targets[position] = tokens[place + 1]
        position += 1
      }
    }
    return PackedSequences(
      inputs: inputs, targets: targets, batchSizes: [Int](repeating: count, count: chunkLength),
      imageRows: [Int32](repeating: 0, count: count))
  }
}
