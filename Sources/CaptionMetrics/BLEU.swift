internal import Foundation

/// BLEU-1 to BLEU-4 (Papineni et al. 2002) with the closest reference length, number for number as pycocoevalcap
/// computes it: its two small constants keep empty captions from dividing by 0.
public struct BLEU: TextMetric {
  /// `Bleu_1` to `Bleu_4`.
  public static let names: [ScoreName] = [.bleu1, .bleu2, .bleu3, .bleu4]
  /// Words of the candidate and of the nearest reference; of each order the candidate's n-grams, and those found.
  public static let width = 10

  private static let tiny = 1e-15
  private static let small = 1e-9

  /// Nothing depends on other images' references.
  public init(_ samples: CountedSamples) {}

  /// Counts an image's n-grams. A sample without references counts as having one empty reference.
  public func statistics(of sample: CountedSample) -> [Double] {
    Matches(sample.candidateNGrams, sample.referenceNGrams).numbers
  }

  /// BLEU-1 to BLEU-4.
  public static func scores(_ sums: [Double], images: Int) -> [Double] { Matches(sums).score }

  /// What is counted of an image: the score of several is that of their sum.
  private struct Matches {
    /// Words of the candidate, and of the reference nearest in length.
    var length, referenceLength: Double
    /// By order: n-grams of the candidate, and those of them that references have.
    var guessed, correct: SIMD4<Double>

    init(_ numbers: [Double]) {
      length = numbers[0]
      referenceLength = numbers[1]
      guessed = SIMD4(numbers[2..<6])
      correct = SIMD4(numbers[6..<10])
    }

    var numbers: [Double] {
      [length, referenceLength] + (0..<4).map { guessed[$0] } + (0..<4).map { correct[$0] }
    }

    /// All n-grams of the references must be numbered.
    init(_ candidate: NGramCounts, _ references: [NGramCounts]) {
      length = Double(candidate.length)
      guessed = .zero
      correct = .zero
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

extension ScoreName {
  /// BLEU-1, 0…1.
  public static let bleu1 = ScoreName("Bleu_1", title: "BLEU-1")
  /// BLEU-2, 0…1.
  public static let bleu2 = ScoreName("Bleu_2", title: "BLEU-2")
  /// BLEU-3, 0…1.
  public static let bleu3 = ScoreName("Bleu_3", title: "BLEU-3")
  /// BLEU-4, 0…1.
  public static let bleu4 = ScoreName("Bleu_4", title: "BLEU-4")
}
