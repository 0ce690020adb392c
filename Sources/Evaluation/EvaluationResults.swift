internal import Language
internal import CaptionMetrics

extension Evaluation {
  /// Writes COCO's results file, with what is known of each image besides: a line an image, whole or not at all.
  /// - Parameter ranks: the rank of the first images' references among all captions of a retrieval.
  /// - Throws: `FileError`.
  public func writeResults(to path: String, ranks: [Int] = []) throws {
    var ranks = ranks[...]
    try JSONRows.write(
      rows.map { row in
        let own = Array(ranks.prefix(row.image.references.count))
        ranks = ranks.dropFirst(own.count)
        return ResultRow(row, ranks: own)
      }, to: path)
  }
}

/// An image's line of the results file.
private struct ResultRow: Encodable {
  private let row: Evaluation.Row
  private let ranks: [Int]

  init(_ row: Evaluation.Row, ranks: [Int]) {
    self.row = row
    self.ranks = ranks
  }

  private enum Key: String, CodingKey {
    case caption, captions, confidence
    case imageID = "image_id"
    case logProb = "log_prob"
    case normalizedLogProb = "normalized_log_prob"
    case referenceLogProbs = "reference_log_probs"
    case referenceNormalizedLogProbs = "reference_normalized_log_probs"
    case referenceWordRanks = "reference_word_ranks"
    case referenceRanks = "reference_ranks"
  }

  private struct Candidate: Encodable {
    let caption: String
    let log_prob: Float
    let confidence: Double?
  }

  func encode(to encoder: any Encoder) throws {
    var headlines = Scores()
    for name in CaptionStatistics.allHeadlines { headlines[name] = row.scores[name] }
    try headlines.encode(to: encoder)
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(row.image.id, forKey: .imageID)
    try container.encode(row.caption.text, forKey: .caption)
    try container.encode(row.caption.logProb, forKey: .logProb)
    try container.encode(row.caption.normalizedLogProb, forKey: .normalizedLogProb)
    try container.encodeIfPresent(row.caption.confidence, forKey: .confidence)
    // All captions, if more than one was asked for.
    if row.captions.count > 1 {
      try container.encode(
        row.captions.map {
          Candidate(caption: $0.text, log_prob: $0.logProb, confidence: $0.confidence)
        }, forKey: .captions)
    }
    let references = row.scoredReferences
    try container.encode(references.map(\.logProb), forKey: .referenceLogProbs)
    try container.encode(references.map(\.normalizedLogProb), forKey: .referenceNormalizedLogProbs)
    try container.encode(references.map { $0.words.compactMap(\.rank) }, forKey: .referenceWordRanks)
    // Only with retrieval, and of the images that took part.
    if !ranks.isEmpty { try container.encode(ranks, forKey: .referenceRanks) }
  }
}
