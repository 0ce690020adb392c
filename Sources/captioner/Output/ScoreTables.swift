import Evaluation
import Foundation
import Imaging
import CaptionMetrics

/// A row of a table for people: what it is, and how much.
private typealias TextRow = (title: String, text: String)

private func percent(_ value: Double) -> String { number(value * 100, 1) }
private func number(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }
private func right(_ text: String, _ width: Int) -> String {
  String(repeating: " ", count: max(0, width - text.count)) + text
}
private func text(_ rows: [TextRow]) -> String {
  rows.map { $0.title.padding(toLength: 22, withPad: " ", startingAt: 0) + $0.text }.joined(separator: "\n")
}

extension Scores {
  /// The number of images and all metrics' scores with their intervals, in percent.
  fileprivate var metricRows: [TextRow] {
    [
      ("images", number(self[.images] ?? 0, 0)),
      ("scores", "in percent" + (self[intervalOf: .bleu1] == nil ? "" : "  (95 % interval)")),
    ]
      + CaptionStatistics.allNames.compactMap { name in
        self[name].map { value in
          let interval = self[intervalOf: name].map { "  (\(percent($0.low)) to \(percent($0.high)))" }
          return (name.title, percent(value) + (interval ?? ""))
        }
      }
  }

  /// A score's row; none where it was not computed.
  fileprivate func row(_ name: ScoreName, _ digits: Int) -> TextRow? {
    self[name].map { (name.title, number($0, digits)) }
  }

  /// The row of a share, in percent.
  fileprivate func share(_ name: ScoreName) -> TextRow? { self[name].map { (name.title, percent($0)) } }

  /// What `metrics` tells, without a line break at the end.
  var resultsText: String {
    func words(_ name: ScoreName, _ digits: Int) -> String { number(self[name] ?? .nan, digits) }
    let rows = [
      share(.distinct), share(.distinctWords), share(.distinctPairs), share(.novelty), row(.perplexity, 2),
      (
        "words",
        "\(words(.meanLength, 1)) ± \(words(.lengthDeviation, 1)) (\(words(.shortestLength, 0)) to "
          + "\(words(.longestLength, 0)), median \(words(.medianLength, 1)))"
      ),
    ]
    return captioner.text(metricRows + rows.compactMap(\.self))
  }
}

extension EvaluationSummary {
  /// Tables for people, without a line break at the end.
  var text: String {
    ([scoreText]
      + [
        trust.map(lines), sources.isEmpty ? nil : lines(sources), retrieval.map(lines), sweep.map(lines),
        words.map(lines),
      ].compactMap { $0?.joined(separator: "\n") })
      .joined(separator: "\n\n")
  }

  private var scoreText: String {
    let photos: TextRow? = decoding.map { ("photos decoded", $0 == .exact ? "exactly" : "scaled, if large") }
    let rows = [
      photos,
      scores.share(.wordsFirst), scores.share(.wordsAmongFive), scores.share(.distinct),
      scores.row(.perplexity, 2), scores.row(.loss, 3), scores.row(.mismatchedImageLoss, 3),
      scores.row(.meanLogProb, 2), scores.row(.meanNormalizedLogProb, 2), scores.row(.meanLength, 1),
      ("images per second", number(imagesPerSecond, 1)),
    ]
    return captioner.text(scores.metricRows + rows.compactMap(\.self))
  }

  private func lines(_ trust: Trust) -> [String] {
    let reliability = trust.reliability
    var lines = [
      "confidence that CIDEr is at least \(percent(trust.threshold)) %, "
        + (trust.isModels ? "the model's" : "fitted here, cross-validated")
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

  private func lines(_ sources: [Source]) -> [String] {
    let columns: [ScoreName] = [.bleu1] + CaptionStatistics.headlines
    let titles = columns.map { right($0.title, max(8, $0.title.count + 2)) }
    return [
      "each file by itself: scores in percent",
      "  images" + titles.joined() + "  calibration error  captions",
    ]
      + sources.map { source in
        right("\(source.scores.rows.count)", 8)
          + zip(columns, titles).map { right(percent(source.scores.scores[$0] ?? .nan), $1.count) }.joined()
          + right(source.reliability.map { number($0.expectedCalibrationError, 3) } ?? "-", 19) + "  "
          + Console.oneLine(source.captions)
      }
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

  private func lines(_ words: WordScores) -> [String] {
    func share(_ value: Double?) -> String { right(value.map(percent) ?? "-", 11) }
    func line(_ title: String, _ precision: Double?, _ recall: Double?, _ counts: [Int]) -> String {
      Console.oneLine(title).padding(toLength: 22, withPad: " ", startingAt: 0) + share(precision)
        + share(recall) + counts.map { right("\($0)", 10) }.joined()
    }
    func sum(_ count: KeyPath<WordScores.Word, Int>) -> Int {
      words.words.reduce(0) { $0 + $1[keyPath: count] }
    }
    return [
      "words: in percent, right where some reference has it",
      "".padding(toLength: 22, withPad: " ", startingAt: 0) + "  precision     recall  captions    images",
      line("all", words.precision, words.recall, [sum(\.captions), sum(\.images)]),
    ] + words.words.map { line($0.word, $0.precision, $0.recall, [$0.captions, $0.images]) }
  }

  private func lines(_ sweep: [SweepPoint]) -> [String] {
    let columns: [ScoreName] = [.bleu1] + CaptionStatistics.headlines
    let titles = columns.map { right($0.title, max(8, $0.title.count + 2)) }
    let header =
      "beam  " + "length".padding(toLength: 10, withPad: " ", startingAt: 0) + titles.joined()
      + "  log-prob  words  distinct  images/s"
    return ["sweep: scores in percent", header]
      + sweep.map { point in
        func score(_ name: ScoreName) -> Double { point.scores[name] ?? .nan }
        return right("\(point.options.beamWidth)", 4) + "  "
          + point.options.lengthNormalization.name.padding(toLength: 10, withPad: " ", startingAt: 0)
          + zip(columns, titles).map { right(percent(score($0)), $1.count) }.joined()
          + right(number(score(.meanLogProb), 2), 10) + right(number(score(.meanLength), 1), 7)
          + right(percent(score(.distinct)), 10) + right(number(point.imagesPerSecond, 0), 10)
      }
  }
}
