internal import Support

/// Gives every different word a number from 1 on, so that words and n-grams are cheap to compare. Words are the same if
/// their bytes are, as in pycocoevalcap: é in one character and é in two are not.
struct WordNumbers {
  private var numbers: [ExactName: Int32] = [:]
  /// The numbers of the words between the no-break spaces of a token that has some.
  private var parts: [Int32: [Int32]] = [:]

  mutating func numbers(of words: [String]) -> [Int32] { words.map { number(of: $0) } }

  private mutating func number(of word: String) -> Int32 {
    if let number = numbers[ExactName(word)] { return number }
    let number = Int32(truncatingIfNeeded: numbers.count + 1)
    numbers[ExactName(word)] = number
    let split = Sample.words(of: [word])
    if split != [word] { parts[number] = split.map { self.number(of: $0) } }
    return number
  }

  /// The same with tokens taken apart at their no-break spaces.
  func apart(_ tokens: [Int32]) -> [Int32] {
    parts.isEmpty ? tokens : tokens.flatMap { parts[$0] ?? [$0] }
  }
}

/// A `Sample` whose words are numbers.
struct NumberedSample: Sendable {
  let candidate: [Int32]
  let references: [[Int32]]

  /// The numbers of all `samples` go together. `words` are `tokens` taken apart at no-break spaces.
  static func numbered(_ samples: some Sequence<Sample>) -> (
    tokens: [NumberedSample], words: [NumberedSample]
  ) {
    var numbers = WordNumbers()
    let tokens = samples.map { sample in
      NumberedSample(
        candidate: numbers.numbers(of: sample.candidate),
        references: sample.references.map { numbers.numbers(of: $0) })
    }
    let words = tokens.map { sample in
      NumberedSample(
        candidate: numbers.apart(sample.candidate), references: sample.references.map(numbers.apart))
    }
    return (tokens, words)
  }
}
