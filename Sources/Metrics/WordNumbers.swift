/// Gives every different word a number from 1 on, so that words and n-grams are cheap to compare.
struct WordNumbers {
  private var numbers: [String: Int32] = [:]

  mutating func numbers(of words: [String]) -> [Int32] {
    words.map { word in
      if let number = numbers[word] { return number }
      let number = Int32(truncatingIfNeeded: numbers.count + 1)
      numbers[word] = number
      return number
    }
  }
}

/// A `Sample` whose words are numbers.
struct NumberedSample {
  let candidate: [Int32]
  let references: [[Int32]]

  /// The numbers of all `samples` go together.
  static func numbered(_ samples: some Sequence<Sample>) -> [NumberedSample] {
    var numbers = WordNumbers()
    return samples.map { sample in
      NumberedSample(
        candidate: numbers.numbers(of: sample.candidate),
        references: sample.references.map { numbers.numbers(of: $0) })
    }
  }
}
