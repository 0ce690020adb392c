internal import Foundation

/// BLEU-1 to BLEU-4 (Papineni et al. 2002) with the closest reference length, number for number as pycocoevalcap
/// computes it: its two small constants keep empty captions from dividing by 0.
public struct BLEU: Sendable, Equatable {
  /// BLEU-n of all samples together at index n − 1, 0…1.
  public let corpus: [Double]
  /// BLEU-n of each sample alone, [N][4].
  public let perSample: [[Double]]
  /// What is counted of each sample, [N]: the score of several is that of their sum.
  let matches: [Matches]

  private static let tiny = 1e-15
  private static let small = 1e-9

  /// Scores `samples`. A sample without references counts as having one empty reference.
  public init(_ samples: some Sequence<Sample>) {
    var numbers = NGramNumbers()
    self.init(
      NumberedSample.numbered(samples).words.map { sample in
        let references = sample.references.map { numbers.add($0) }
        return Matches(numbers.counts(sample.candidate), references)
      })
  }

  init(_ matches: [Matches]) {
    self.matches = matches
    perSample = matches.map(\.score)
    corpus = matches.reduce(into: Matches()) { $0.add($1) }.score
  }

  struct Matches: Sendable, Equatable {
    /// Words of the candidate, and of the reference nearest in length.
    var length, referenceLength: Double
    /// By order: n-grams of the candidate, and those of them that references have.
    var guessed, correct: SIMD4<Double>

    init() { (length, referenceLength, guessed, correct) = (0, 0, .zero, .zero) }

    /// All n-grams of the references must be numbered.
    init(_ candidate: NGramCounts, _ references: [NGramCounts]) {
      self.init()
      length = Double(candidate.length)
      // Of two equally close lengths the shorter one.
      let closest = references.map(\.length).min {
        (abs($0 - candidate.length), $0) < (abs($1 - candidate.length), $1)
      }
      referenceLength = Double(closest ?? 0)
      for order in 0..<4 { guessed[order] = max(0, length - Double(order)) }
      var allowed = [Int](repeating: 0, count: candidate.terms.count)
      for reference in references {
        var place = 0
        for (index, term) in candidate.terms.enumerated() {
          while place < reference.terms.count, reference.terms[place].number < term.number { place += 1 }
          guard place < reference.terms.count else { break }
          if reference.terms[place].number == term.number {
            allowed[index] = max(allowed[index], Int(reference.terms[place].count))
          }
        }
      }
      for (term, allowed) in zip(candidate.terms, allowed) {
        correct[Int(term.order)] += Double(min(Int(term.count), allowed))
      }
    }

    mutating func add(_ other: Matches) {
      length += other.length
      referenceLength += other.referenceLength
      guessed += other.guessed
      correct += other.correct
    }

    /// BLEU-1 to BLEU-4.
    var score: [Double] {
      let ratio = (length + BLEU.tiny) / (referenceLength + BLEU.small)
      let brevity = ratio < 1 ? exp(1 - 1 / ratio) : 1
      var product = 1.0
      return (0..<4).map { order in
        product *= (correct[order] + BLEU.tiny) / (guessed[order] + BLEU.small)
        return pow(product, 1 / Double(order + 1)) * brevity
      }
    }
  }
}
