public import CaptionMetrics
internal import Language

/// What an evaluation comes to on the images of one of several caption files, as if there were no others: the document
/// frequencies of CIDEr are those of its captions.
public struct SourceScores: Sendable {
  /// Which of the caption files: 0…
  public let source: Int
  /// The rows of the evaluation that are its images'.
  public let rows: [Int]
  /// By all metrics, and the number of images.
  public let scores: Scores
  /// The CIDEr of each row's best caption.
  let ciders: [Double]
}

extension Evaluation {
  /// The images of each caption file by themselves, in the order of the files.
  public func sources() -> [SourceScores] {
    Dictionary(grouping: rows.indices) { rows[$0].image.source }.sorted { $0.key < $1.key }.map {
      source, members in
      let statistics = CaptionStatistics(
        members.map {
          Sample(
            candidate: Tokenizer().wholeTokens(Tokenizer.composed(rows[$0].caption.text)),
            references: rows[$0].image.tokens)
        })
      let place = statistics.names.firstIndex(of: .cider)
      return SourceScores(
        source: source, rows: members, scores: statistics.scores(),
        ciders: members.indices.map { member in place.map { statistics.sample(member)[$0] } ?? 0 })
    }
  }

  /// The CIDEr of each row's best caption among the images of its file.
  var cidersBySource: [Double] {
    guard rows.contains(where: { $0.image.source != rows[0].image.source }) else {
      return rows.map(\.scores.cider)
    }
    var result = [Double](repeating: 0, count: rows.count)
    for source in sources() {
      for (row, cider) in zip(source.rows, source.ciders) { result[row] = cider }
    }
    return result
  }
}

extension SourceScores {
  /// How well confidences, one a row of the whole evaluation, agree with the CIDEr of this file's captions.
  public func reliability(of confidences: [Double], threshold: Double) -> Reliability {
    Reliability(rows.map { confidences[$0] }, ciders.map { $0 >= threshold })
  }
}
