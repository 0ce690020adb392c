internal import Language

/// What the constraints say about the next word.
extension Constraints {
  /// Words that are never spoken, though the softmax counts them.
  static let unspoken = [Vocabulary.padding, Vocabulary.start, Vocabulary.unknown]

  /// Whether what may follow depends on the words before.
  var dependsOnWords: Bool { !forced.isEmpty || noRepeatNGram > 0 }

  /// The forced words that `words` lacks.
  func unmet(after words: some Sequence<Int32>) -> [Int32] { forced.filter { !words.contains($0) } }

  /// The words that would make an n-gram of `words` come twice.
  func banned(after words: some BidirectionalCollection<Int32>) -> [Int32] {
    let words = Array(words)
    guard noRepeatNGram > 0, words.count >= noRepeatNGram else { return [] }
    let context = words.suffix(noRepeatNGram - 1)
    return (0...words.count - noRepeatNGram).compactMap { start in
      let end = start + noRepeatNGram - 1
      return words[start..<end].elementsEqual(context) ? words[end] : nil
    }
  }

  /// All that may not follow `words`: neither empty nor all of the vocabulary of `size`.
  /// - Parameter mayEnd: whether the caption is long enough.
  func excluded(after words: [Int32], mayEnd: Bool, vocabularySize size: Int) -> [Int32] {
    var excluded = Self.unspoken + forbidden + banned(after: words)
    if mayEnd && unmet(after: words).isEmpty { return excluded }
    // Where no word may follow, the end may.
    if excluded.count < size - 1 || Set(excluded).count < size - 1 { excluded.append(Vocabulary.end) }
    return excluded
  }
}
