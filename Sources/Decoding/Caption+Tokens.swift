public import Language
public import Layers

extension Caption {
  /// A hypothesis in words.
  public init(_ hypothesis: Hypothesis, in vocabulary: Vocabulary) {
    self.init(
      words: zip(hypothesis.words, hypothesis.logProbs).map {
        ScoredWord(word: vocabulary.word(for: $0), logProb: $1)
      }, vocabulary.tokenizer)
  }
}

extension TeacherForcedScores {
  /// The scored sequences in words, in the order in which `packing` was given them.
  /// - Parameters:
  ///   - order: what `packing` returned with the sequences.
  ///   - runnersUp: how many other words to name for each, the likeliest first; as many and one more were asked for.
  public func captions(
    _ sequences: PackedSequences, _ order: [Int], in vocabulary: Vocabulary, runnersUp: Int = 0
  ) -> [Caption] {
    let words = sequences.targets.enumerated().map { position, target in
      let others = runnersUp > 0 ? likeliest[position].filter { $0.id != target } : []
      return Caption.ScoredWord(
        word: vocabulary.word(for: target), logProb: logProbs[position], rank: ranks[position],
        runnersUp: others.prefix(runnersUp).map {
          .init(word: vocabulary.word(for: $0.id), logProb: $0.logProb)
        })
    }
    return sequences.unpacked(words, order).map { Caption(words: $0, vocabulary.tokenizer) }
  }
}
