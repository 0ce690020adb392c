/// A caption as word ids, with what the decoder thinks of each.
public struct Hypothesis: Sendable, Equatable {
  /// The word ids after `<s>`; the last is `</s>`.
  public private(set) var words: [Int32] = []
  /// ln p of each word, of the full softmax.
  public private(set) var logProbs: [Float] = []
  /// Their sum.
  private(set) var total = 0.0

  /// ln p of the caption: the sum over its words.
  public var logProb: Float { Float(total) }

  func extended(by word: Int32, _ logProb: Float) -> Hypothesis {
    var longer = self
    longer.words.append(word)
    longer.logProbs.append(logProb)
    longer.total += Double(logProb)
    return longer
  }
}
