/// ROUGE-L (Lin 2004): F-measure of the longest common subsequence with β = 1.2, best precision and best recall taken
/// over the references one by one, number for number as pycocoevalcap computes it. 0…1.
public struct ROUGEL: TextMetric {
  /// `ROUGE_L`.
  public static let names: [ScoreName] = [.rougeL]
  /// The score: that of several images is the mean.
  public static let width = 1

  /// Nothing depends on other images' references.
  public init(_ samples: CountedSamples) {}

  /// The image's score. A caption without words is, as there, one empty word: two of them are alike. A sample without
  /// references scores 0.
  public func statistics(of sample: CountedSample) -> [Double] {
    [Self.score(sample.candidate, sample.references)]
  }

  /// The mean; 0 of no images.
  public static func scores(_ sums: [Double], images: Int) -> [Double] {
    [images == 0 ? 0 : sums[0] / Double(images)]
  }

  private static func score(_ candidate: [Int32], _ references: [[Int32]]) -> Double {
    let nothing: [Int32] = [0]
    let candidate = candidate.isEmpty ? nothing : candidate
    var (precision, recall) = (0.0, 0.0)
    for reference in references {
      let reference = reference.isEmpty ? nothing : reference
      let common = Double(commonLength(candidate, reference))
      precision = max(precision, common / Double(candidate.count))
      recall = max(recall, common / Double(reference.count))
    }
    let square = 1.2 * 1.2
    return precision == 0 || recall == 0
      ? 0 : (1 + square) * precision * recall / (recall + square * precision)
  }

  /// The length of the longest common subsequence, row by row.
  private static func commonLength(_ a: [Int32], _ b: [Int32]) -> Int {
    withUnsafeTemporaryAllocation(of: Int.self, capacity: b.count + 1) { row in
      row.initialize(repeating: 0)
      for word in a {
        var diagonal = 0
        for place in b.indices {
          let above = row[place + 1]
          row[place + 1] = word == b[place] ? diagonal + 1 : max(above, row[place])
          diagonal = above
        }
      }
      return row[b.count]
    }
  }
}

extension ScoreName {
  /// ROUGE-L, 0…1.
  public static let rougeL = ScoreName("ROUGE_L", title: "ROUGE-L")
}
