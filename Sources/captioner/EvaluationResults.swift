import Evaluation
import Foundation
import Language
import Support

/// The results file of `evaluate`: COCO's, with what is known of each image besides.
struct EvaluationResults {
  private let evaluation: Evaluation
  /// The rank of the first references among all captions of the retrieval.
  private let ranks: [Int]

  init(_ evaluation: Evaluation, ranks: [Int]?) {
    (self.evaluation, self.ranks) = (evaluation, ranks ?? [])
  }

  private struct Line: Encodable {
    let image_id: Int
    let caption: String
    let log_prob: Float
    let normalized_log_prob: Float
    let confidence: Double?
    let Bleu_4, ROUGE_L, CIDEr: Double
    /// All captions, if more than one was asked for.
    let captions: [Candidate]?
    let reference_log_probs: [Float]
    let reference_normalized_log_probs: [Float]
    let reference_word_ranks: [[Int]]
    /// Only with retrieval, and of the images that took part.
    let reference_ranks: [Int]?
  }

  private struct Candidate: Encodable {
    let caption: String
    let log_prob: Float
    let confidence: Double?
  }

  /// Writes it, a line an image, whole or not at all.
  func write(to path: String) throws {
    var ranks = ranks[...]
    let lines = try evaluation.rows.map { row in
      let own = Array(ranks.prefix(row.references.count))
      ranks = ranks.dropFirst(own.count)
      return try Console.json(
        Line(
          image_id: row.imageID, caption: row.caption.text, log_prob: row.caption.logProb,
          normalized_log_prob: row.caption.normalizedLogProb, confidence: row.caption.confidence,
          Bleu_4: row.bleu4, ROUGE_L: row.rougeL, CIDEr: row.cider,
          captions: row.captions.count < 2
            ? nil
            : row.captions.map {
              Candidate(caption: $0.text, log_prob: $0.logProb, confidence: $0.confidence)
            },
          reference_log_probs: row.scoredReferences.map(\.logProb),
          reference_normalized_log_probs: row.scoredReferences.map(\.normalizedLogProb),
          reference_word_ranks: row.scoredReferences.map { $0.words.compactMap(\.rank) },
          reference_ranks: own.isEmpty ? nil : own))
    }
    try AtomicFile.write(to: path) { try $0.write("[\n" + lines.joined(separator: ",\n") + "\n]\n") }
  }
}
