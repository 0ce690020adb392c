internal import Foundation

/// BLEU-1 to BLEU-4 (Papineni et al. 2002) with the closest reference length, number for number as pycocoevalcap
/// computes it: its two small constants keep empty captions from dividing by 0.
public struct BLEU: Sendable, Equatable {
  /// BLEU-n of all samples together at index n − 1, 0…1.
  public let corpus: [Double]
  /// BLEU-n of each sample alone, [N][4].
  public let perSample: [[Double]]

  private static let tiny = 1e-15
  private static let small = 1e-9

  /// Scores `samples`. A sample without references counts as having one empty reference.
  public init(_ samples: some Sequence<Sample>) {
    var numbers = WordNumbers()
    var total = Matches()
    var perSample: [[Double]] = []
    for sample in samples {
      let matches = Matches(
        candidate: numbers.numbers(of: sample.candidate),
        references: sample.references.map { numbers.numbers(of: $0) })
      total.add(matches)
      perSample.append(matches.score)
    }
    self.perSample = perSample
    corpus = total.score
  }

  private struct Matches {
    var length = 0
    var referenceLength = 0
    var guessed = [0, 0, 0, 0]
    var correct = [0, 0, 0, 0]

    init() {}

    init(candidate: [Int32], references: [[Int32]]) {
      length = candidate.count
      // Of two equally close lengths the shorter one.
      let closest = references.map(\.count).min {
        (abs($0 - candidate.count), $0) < (abs($1 - candidate.count), $1)
      }
      referenceLength = closest ?? 0
      let references = references.map(nGramCounts)
      for (order, counts) in nGramCounts(candidate).enumerated() {
        guessed[order] = max(0, length - order)
        for (gram, count) in counts {
          correct[order] += min(count, references.map { $0[order][gram] ?? 0 }.max() ?? 0)
        }
      }
    }

    mutating func add(_ other: Matches) {
      length += other.length
      referenceLength += other.referenceLength
      for order in 0..<4 {
        guessed[order] += other.guessed[order]
        correct[order] += other.correct[order]
      }
    }

    var score: [Double] {
      let ratio = (Double(length) + BLEU.tiny) / (Double(referenceLength) + BLEU.small)
      let brevity = ratio < 1 ? exp(1 - 1 / ratio) : 1
      var product = 1.0
      return (0..<4).map { order in
        product *= (Double(correct[order]) + BLEU.tiny) / (Double(guessed[order]) + BLEU.small)
        return pow(product, 1 / Double(order + 1)) * brevity
      }
    }
  }
}
