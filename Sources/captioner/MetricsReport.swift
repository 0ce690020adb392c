import Datasets
import Foundation
import Metrics
import Support

/// What `captioner metrics` tells of results.
struct MetricsReport {
  let scores: CaptionScores
  private let results: [CaptionResult]
  private let samples: [Sample]
  private let novelty: Novelty?

  /// - Parameter samples: the words of each result and of its references.
  init(results: [CaptionResult], samples: [Sample], novelty: Novelty?) {
    (self.results, self.samples, self.novelty) = (results, samples, novelty)
    scores = CaptionScores(samples)
    let empty = zip(results, samples).filter(\.1.candidate.isEmpty)
    if let first = empty.first {
      Console.complain(
        "\(empty.count) captions without a word, the first of image \(first.0.imageID): "
          + "scored as pycocoevalcap does")
    }
  }

  private var candidates: [[String]] { samples.map { Sample.words(of: $0.candidate) } }

  /// e^loss per word of the references, end tokens counted, if the results tell the log-probabilities of all.
  private var perplexity: Double? {
    var (sum, words) = (0.0, 0)
    for (result, sample) in zip(results, samples) {
      guard let logProbs = result.referenceLogProbs, logProbs.count == sample.references.count else {
        return nil
      }
      sum += logProbs.reduce(0) { $0 + Double($1) }
      words += sample.references.reduce(0) { $0 + Sample.words(of: $1).count + 1 }
    }
    return words == 0 ? nil : exp(-sum / Double(words))
  }

  // MARK: - All images

  /// Numbers by pycocoevalcap's names where it has them.
  func object(_ intervals: [Bootstrap.Interval]) -> [String: Double] {
    let lengths = CaptionLengths(candidates)
    var numbers = [
      "images": Double(samples.count), "distinct": distinctShare(candidates),
      "distinct_1": distinctNGramShare(candidates, 1), "distinct_2": distinctNGramShare(candidates, 2),
      "mean_length": lengths.mean, "sd_length": lengths.standardDeviation, "median_length": lengths.median,
      "min_length": Double(lengths.shortest), "max_length": Double(lengths.longest),
    ]
    numbers["novelty"] = novelty?.share
    numbers["perplexity"] = perplexity
    for (name, value) in zip(CaptionScores.names, scores.corpus) { numbers[name] = value }
    for (name, interval) in zip(CaptionScores.names, intervals) {
      numbers[name + "_low"] = interval.low
      numbers[name + "_high"] = interval.high
    }
    return numbers
  }

  /// A table for people.
  func text(_ intervals: [Bootstrap.Interval]) -> String {
    func number(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }
    func percent(_ value: Double) -> String { number(value * 100, 1) }
    let titles = ["BLEU-1", "BLEU-2", "BLEU-3", "BLEU-4", "ROUGE-L", "CIDEr"]
    var rows = [("images", "\(samples.count)")]
    for (place, value) in scores.corpus.enumerated() {
      let interval =
        intervals.isEmpty ? "" : "  (\(percent(intervals[place].low)) to \(percent(intervals[place].high)))"
      rows.append((titles[place], percent(value) + interval))
    }
    if let perplexity { rows.append(("perplexity", number(perplexity, 2))) }
    let lengths = CaptionLengths(candidates)
    rows += [
      ("distinct captions", number(distinctShare(candidates), 3)),
      ("distinct-1", number(distinctNGramShare(candidates, 1), 4)),
      ("distinct-2", number(distinctNGramShare(candidates, 2), 4)),
    ]
    if let novelty { rows.append(("novel captions", number(novelty.share, 3))) }
    rows.append(
      (
        "words",
        "\(number(lengths.mean, 1)) ± \(number(lengths.standardDeviation, 1)) "
          + "(\(lengths.shortest) to \(lengths.longest), median \(number(lengths.median, 1)))"
      ))
    return rows.map { $0.padding(toLength: 22, withPad: " ", startingAt: 0) + $1 }.joined(separator: "\n")
  }

  // MARK: - Each image

  private struct Row: Encodable {
    let image_id: Int
    let caption: String
    let Bleu_1, Bleu_2, Bleu_3, Bleu_4, ROUGE_L, CIDEr: Double
    let length: Int
    let tokens: [String]
    let novel: Bool?
    let log_prob: Float?

    init(_ result: CaptionResult, _ values: [Double], tokens: [String], novel: Bool?) {
      (image_id, caption, log_prob) = (result.imageID, result.caption, result.logProb)
      (Bleu_1, Bleu_2, Bleu_3, Bleu_4) = (values[0], values[1], values[2], values[3])
      (ROUGE_L, CIDEr) = (values[4], values[5])
      (length, self.tokens, self.novel) = (tokens.count, tokens, novel)
    }
  }

  /// Writes each image's scores in the order of the results, a line an image, whole or not at all.
  func writeRows(to path: String) throws {
    let lines = try results.indices.map { index in
      try Console.json(
        Row(
          results[index], scores.sample(index), tokens: samples[index].candidate,
          novel: novelty?.perSample[index]))
    }
    try AtomicFile.write(to: path) { try $0.write("[\n" + lines.joined(separator: ",\n") + "\n]\n") }
  }
}
