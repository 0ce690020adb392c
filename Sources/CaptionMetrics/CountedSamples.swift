/// Samples as metrics read them: equal words have equal numbers, and the references' n-grams are counted once for all
/// metrics.
public struct CountedSamples: Sendable {
  /// The samples as they were given, [N].
  public let samples: [Sample]
  /// The n-grams of all references.
  let numbers: NGramNumbers
  /// Those of each reference, [N][references].
  let references: [[NGramCounts]]
  private let tokens, words: [NumberedSample]

  /// Numbers words and counts n-grams.
  public init(_ samples: some Sequence<Sample>) {
    self.samples = Array(samples)
    let numbered = NumberedSample.numbered(self.samples)
    tokens = numbered.tokens
    words = numbered.words
    var numbers = NGramNumbers()
    references = words.map { sample in sample.references.map { numbers.add($0) } }
    self.numbers = numbers
  }

  /// How many samples there are.
  public var count: Int { samples.count }

  /// A sample; its candidate's n-grams are counted now.
  public subscript(_ index: Int) -> CountedSample {
    CountedSample(
      place: index, sample: samples[index], candidate: tokens[index].candidate,
      references: tokens[index].references,
      candidateNGrams: numbers.counts(words[index].candidate), referenceNGrams: references[index])
  }
}

/// A sample as metrics read it.
public struct CountedSample: Sendable {
  /// Its place among the samples.
  public let place: Int
  /// The tokens themselves.
  public let sample: Sample
  /// The candidate's tokens as numbers from 1 on.
  public let candidate: [Int32]
  /// The references' tokens as numbers from 1 on.
  public let references: [[Int32]]
  /// The candidate's n-grams; tokens are taken apart at no-break spaces before.
  let candidateNGrams: NGramCounts
  /// Those of each reference.
  let referenceNGrams: [NGramCounts]
}
