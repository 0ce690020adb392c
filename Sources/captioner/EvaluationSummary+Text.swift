import Evaluation
import Foundation

extension EvaluationSummary {
  /// Tables for people, without a line break at the end.
  var text: String {
    ([scoreLines] + [confidence.map(lines), retrieval.map(lines), sweep.map(lines)].compactMap { $0 })
      .map { $0.joined(separator: "\n") }.joined(separator: "\n\n")
  }

  private var scoreLines: [String] {
    func score(_ title: String, _ name: String, _ value: Double) -> (String, String) {
      let interval = scores.intervals[name].map {
        "  (\(percent($0.lowerBound)) to \(percent($0.upperBound)))"
      }
      return (title, percent(value) + (interval ?? ""))
    }
    var rows = [("images", "\(scores.images)")]
    rows += scores.bleu.enumerated().map { score("BLEU-\($0 + 1)", "Bleu_\($0 + 1)", $1) }
    rows += [
      score("ROUGE-L", "ROUGE_L", scores.rougeL), score("CIDEr", "CIDEr", scores.cider),
      ("perplexity", number(scores.perplexity, 2)), ("loss per word", number(scores.loss, 3)),
      ("… images exchanged", number(scores.shuffledLoss, 3)),
      ("words guessed first", percent(scores.wordsFirst)), ("… among five", percent(scores.wordsAmongFive)),
      ("mean log-prob", number(scores.meanLogProb, 2)),
      ("… per word", number(scores.meanNormalizedLogProb, 2)), ("mean words", number(scores.meanLength, 1)),
      ("distinct captions", number(scores.distinct, 3)),
      ("images per second", number(Double(scores.images) / max(seconds, 1e-9), 1)),
    ]
    return rows.map { $0.padding(toLength: 22, withPad: " ", startingAt: 0) + $1 }
  }

  private func lines(_ confidence: ConfidenceReport) -> [String] {
    let reliability = confidence.reliability
    var lines = [
      "confidence that CIDEr is at least \(percent(confidence.threshold)), "
        + (confidence.isModels ? "the model's" : "fitted here, cross-validated")
        + ": calibration error \(number(reliability.expectedCalibrationError, 3)), "
        + "AUC \(number(reliability.auc, 3)), Brier \(number(reliability.brierScore, 3)), "
        + "\(percent(reliability.baseRate)) % are",
      "between      captions  told   true",
    ]
    for (index, bin) in reliability.bins.enumerated() where bin.count > 0 {
      lines.append(
        "\(number(Double(index) / 10, 1)) and \(number(Double(index + 1) / 10, 1))  "
          + right("\(bin.count)", 8) + right(number(bin.predicted, 2), 7) + right(number(bin.observed, 2), 7))
    }
    return lines
  }

  private func lines(_ retrieval: Retrieval) -> [String] {
    func line(_ title: String, _ recall: Retrieval.Recall?) -> String {
      guard let recall else { return title }
      return title.padding(toLength: 34, withPad: " ", startingAt: 0)
        + [recall.at1, recall.at5, recall.at10].map { right(percent($0), 7) }.joined()
        + right(number(recall.medianRank, 1), 13)
    }
    return [
      "retrieval among the first \(retrieval.images) images and their \(retrieval.captions) captions",
      "".padding(toLength: 34, withPad: " ", startingAt: 0) + "    R@1    R@5   R@10  median rank",
      line("caption to image", retrieval.captionToImage),
      line("image to caption, ln p(c|i)/p(c)", retrieval.imageToCaption[.information]),
      line("… ln p(c|i) per word", retrieval.imageToCaption[.perWord]),
      line("… ln p(c|i)", retrieval.imageToCaption[.total]),
    ]
  }

  private func lines(_ sweep: [SweepPoint]) -> [String] {
    ["beam  length      BLEU-1  BLEU-4  ROUGE-L  CIDEr  log-prob  words  distinct  images/s"]
      + sweep.map { point in
        right("\(point.options.beamWidth)", 4) + "  "
          + point.options.lengthNormalization.name.padding(toLength: 10, withPad: " ", startingAt: 0)
          + right(percent(point.bleu[0]), 8)
          + right(percent(point.bleu[3]), 8) + right(percent(point.rougeL), 9)
          + right(percent(point.cider), 7)
          + right(number(point.meanLogProb, 2), 10) + right(number(point.meanLength, 1), 7)
          + right(number(point.distinct, 3), 10) + right(number(point.imagesPerSecond, 0), 10)
      }
  }

  private func percent(_ value: Double) -> String { number(value * 100, 1) }
  private func number(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }
  private func right(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }
}
