internal import Glibc

/// What METEOR counts of a candidate aligned with a reference.
struct METEORCounts: Equatable {
  /// A number of the candidate and one of the reference.
  struct Pair: Equatable {
    var candidate = 0
    var reference = 0
  }

  /// Words.
  let length: Pair
  /// Function words among them.
  var functionWords = Pair()
  /// Aligned words of each stage, those that are function words apart.
  var content = [Pair](repeating: Pair(), count: WordMatch.Stage.allCases.count)
  var function = [Pair](repeating: Pair(), count: WordMatch.Stage.allCases.count)
  /// Runs of aligned words that are beside each other, in the same order, in both.
  let chunks: Int

  /// Counts.
  /// - Parameter matches: the alignment, by the reference's words.
  init(_ candidate: [Int32], _ reference: [Int32], aligned matches: [WordMatch], _ lexicon: Lexicon) {
    length = Pair(candidate: candidate.count, reference: reference.count)
    var chunks = 0
    var end: (own: Int32, other: Int32)?
    for match in matches {
      if end.map({ $0 != (match.start, match.otherStart) }) ?? true { chunks += 1 }
      end = (match.start + match.length, match.otherStart + match.otherLength)
    }
    self.chunks = chunks
    func isFunction(_ word: Int32) -> Bool { lexicon.isFunctionWord[Int(word)] }
    functionWords = Pair(
      candidate: candidate.count(where: isFunction), reference: reference.count(where: isFunction))
    for match in matches {
      let stage = match.stage.rawValue
      for word in candidate[Int(match.otherStart)..<Int(match.otherStart + match.otherLength)] {
        if isFunction(word) { function[stage].candidate += 1 } else { content[stage].candidate += 1 }
      }
      for word in reference[Int(match.start)..<Int(match.start + match.length)] {
        if isFunction(word) { function[stage].reference += 1 } else { content[stage].reference += 1 }
      }
    }
  }

  /// Aligned words.
  var matched: Pair {
    zip(content, function).reduce(into: Pair()) { sum, stage in
      sum.candidate += stage.0.candidate + stage.1.candidate
      sum.reference += stage.0.reference + stage.1.reference
    }
  }

  /// The line in which the reference implementation tells them.
  var line: String {
    var numbers = [length.candidate, length.reference, functionWords.candidate, functionWords.reference]
    for (content, function) in zip(content, function) {
      numbers += [content.candidate, content.reference, function.candidate, function.reference]
    }
    numbers += [chunks, matched.candidate, matched.reference]
    return numbers.map { "\($0).0" }.joined(separator: " ")
  }

  // MARK: The score

  /// METEOR's parameters for English: of precision and recall, of chunks, and of content words.
  private static let (alpha, beta, gamma, delta) = (0.85, 0.2, 0.6, 0.75)
  /// What an aligned word of each stage counts.
  private static let weights = [1.0, 0.6, 0.8, 0.6]

  /// What is summed over images, `METEOR.width` numbers.
  var summed: [Double] {
    func weighted(_ side: KeyPath<Pair, Int>) -> (matched: Double, length: Double) {
      var matched = 0.0
      for (stage, weight) in zip(content, Self.weights) {
        matched += Double(stage[keyPath: side]) * weight * Self.delta
      }
      for (stage, weight) in zip(function, Self.weights) {
        matched += Double(stage[keyPath: side]) * weight * (1 - Self.delta)
      }
      let (all, functions) = (length[keyPath: side], functionWords[keyPath: side])
      return (matched, Self.delta * Double(all - functions) + (1 - Self.delta) * Double(functions))
    }
    let (candidate, reference) = (weighted(\.candidate), weighted(\.reference))
    // A caption that is all of a reference in its order is not in pieces.
    let isWhole = matched == length && chunks == 1
    return [
      candidate.matched, candidate.length, reference.matched, reference.length,
      isWhole ? 0 : Double(chunks), Double(matched.candidate + matched.reference),
    ]
  }

  /// The score, 0…1, of captions whose `summed` add up to `sums`.
  static func score(_ sums: [Double]) -> Double {
    let precision = sums[0] / sums[1]
    let recall = sums[2] / sums[3]
    let mean = 1 / ((1 - alpha) / precision + alpha / recall)
    let fragments = sums[4] / (sums[5] / 2)
    let score = mean * (1 - gamma * pow(fragments, beta))
    return score.isNaN ? 0 : max(score, 0)
  }
}
