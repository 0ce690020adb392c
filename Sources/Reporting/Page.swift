internal import Evaluation
internal import Models
internal import Foundation
internal import CaptionMetrics
internal import Support

/// The page's HTML.
struct Page {
  private let report: Report
  private let shown: [Int]
  private let thumbnails: [String?]

  /// - Parameters:
  ///   - shown: the rows of the gallery.
  ///   - thumbnails: the source of each one's picture.
  init(_ report: Report, shown: [Int], thumbnails: [String?]) {
    precondition(shown.count == thumbnails.count)
    self.report = report
    self.shown = shown
    self.thumbnails = thumbnails
  }

  func html() throws -> String {
    HTML.document(
      title: report.title, images: "'self' file: data:",
      body: """
        <header>
        <p class="kicker">Captioner evaluation</p>
        <h1>\(HTML.escaped(report.title))</h1>
        <p class="subtitle">\(HTML.escaped(report.subtitle))</p>
        <ul class="headline">\(headline)</ul>
        </header>
        <main>
        <section aria-labelledby="scores"><h2 id="scores">Scores</h2>
        <div class="tables">\(scoreTable)\(modelTable)\(retrievalTable)</div>\(sweepTable)
        </section>
        <section aria-labelledby="charts"><h2 id="charts">How sure, how long, how right</h2>
        <div class="charts">\(charts)</div>
        </section>
        <section aria-labelledby="gallery"><h2 id="gallery">Photos</h2>
        <p class="note">\(galleryNote)</p>
        <noscript><p class="note">The gallery needs JavaScript, which is part of this page.</p></noscript>
        \(Self.gallery)
        </section>
        </main>
        <script type="application/json" id="data">\(try HTML.script(json))</script>
        <script>
        \(PageScript.text)
        </script>
        """)
  }

  private var scores: Scores { report.evaluation.scores }

  private var headline: String {
    var items = [
      ("CIDEr", HTML.number(scores.cider * 100, 1)), ("BLEU-4", HTML.number(scores.bleu4 * 100, 1)),
      ("ROUGE-L", HTML.number(scores.rougeL * 100, 1)), ("perplexity", HTML.number(scores.perplexity, 1)),
    ]
    if let trust = report.trust {
      items.append(("calibration error", HTML.number(trust.reliability.expectedCalibrationError, 3)))
    }
    items.append(("photos", "\(report.evaluation.rows.count)"))
    return items.map { "<li><strong>\($1)</strong> \($0)</li>" }.joined()
  }

  private var scoreTable: String {
    let names = CaptionStatistics.allNames.filter { scores[$0] != nil }
    let intervals = names.map { scores[intervalOf: $0] }
    let hasIntervals = intervals.contains { $0 != nil }
    let rows = zip(names, intervals).map { name, interval in
      let limits = interval.map { "\(HTML.number($0.low * 100, 1)) to \(HTML.number($0.high * 100, 1))" }
      return [name.title, number(name, 1, times: 100)] + (hasIntervals ? [limits ?? ""] : [])
    }
    return HTML.table(
      "Captions against references", ["Score", "× 100"] + (hasIntervals ? ["95 % interval"] : []), rows)
  }

  private func number(_ name: ScoreName, _ digits: Int, times factor: Double = 1) -> String {
    HTML.number((scores[name] ?? .nan) * factor, digits)
  }

  private var modelTable: String {
    HTML.table(
      "Model and captions", ["", ""],
      [
        ["Perplexity of the references", number(.perplexity, 2)],
        ["Nats per word", number(.loss, 3)], ["… of mismatched images", number(.mismatchedImageLoss, 3)],
        ["Words guessed first", number(.wordsFirst, 1, times: 100) + " %"],
        ["… among the first five", number(.wordsAmongFive, 1, times: 100) + " %"],
        ["Mean log-prob of captions", number(.meanLogProb, 2)],
        ["… per word", number(.meanNormalizedLogProb, 2)], ["Mean words", number(.meanLength, 1)],
        ["Distinct captions", number(.distinct, 1, times: 100) + " %"],
      ])
  }

  private var retrievalTable: String {
    guard let retrieval = report.retrieval else { return "" }
    func row(_ title: String, _ recall: Retrieval.Recall?) -> [String] {
      guard let recall else { return [title] }
      return [title] + [recall.at1, recall.at5, recall.at10].map { HTML.number($0 * 100, 1) }
        + [HTML.number(recall.medianRank, recall.medianRank.rounded() == recall.medianRank ? 0 : 1)]
    }
    return HTML.table(
      "Retrieval among \(retrieval.images) photos and \(retrieval.captions) captions",
      ["", "R@1", "R@5", "R@10", "Median rank"],
      [
        row("Caption to photo", retrieval.captionToImage),
        row("Photo to caption, ln p(c|i) − ln p(c)", retrieval.imageToCaption[.information]),
        row("… ln p(c|i) per word", retrieval.imageToCaption[.perWord]),
        row("… ln p(c|i)", retrieval.imageToCaption[.total]),
      ])
  }

  private var sweepTable: String {
    guard !report.sweep.isEmpty else { return "" }
    let columns: [ScoreName] = [.bleu1] + CaptionStatistics.headlines
    let rows = report.sweep.map { point in
      func number(_ name: ScoreName, _ digits: Int, times factor: Double = 1) -> String {
        HTML.number((point.scores[name] ?? .nan) * factor, digits)
      }
      return ["beam \(point.options.beamWidth), length \(point.options.lengthNormalization.name)"]
        + columns.map { number($0, 1, times: 100) } + [
          number(.meanLogProb, 2), number(.meanLength, 1), number(.distinct, 1, times: 100) + " %",
          HTML.number(point.imagesPerSecond, 0),
        ]
    }
    return HTML.table(
      "Ways of searching",
      [""] + columns.map(\.title) + ["Log-prob", "Words", "Distinct", "Photos/s"], rows)
  }

  private var charts: String {
    let rows = report.evaluation.rows
    let (captions, references) = (rows.map(\.caption), rows.flatMap(\.scoredReferences))
    let sureness = Histogram(
      captions: captions.map { Double($0.normalizedLogProb) },
      references: references.map { Double($0.normalizedLogProb) }, width: 0.2)
    let lengths = Histogram(
      captions: captions.map { Double($0.words.count - 1) },
      references: references.map { Double($0.words.count - 1) },
      width: 1)
    return sureness.figure(
      "How likely are captions to the model?", xLabel: "log-prob per word", digits: 1)
      + (report.trust.map(ReliabilityDiagram.figure) ?? "")
      + lengths.figure(
        "How long are they?", xLabel: "words", digits: 0)
  }

  private var galleryNote: String {
    let all = report.evaluation.rows.count
    let part =
      shown.count < all
      ? "The best, the middling and the worst \(shown.count) of \(all) photos are here. " : ""
    return part
      + "Photos are ranked by the CIDEr of their first caption. The bar under a word hangs as low as the word "
      + "was unlikely: it grows with −ln p given the words before, and is red from p = 0.1 down; · is the end."
      + (report.looks?.frame == nil
        ? "" : " Point at a word, or choose it: the photo is bright where the model looked for it.")
  }

  private static let gallery = """
    <h3 id="best-title">Best</h3><div class="cards" id="best" aria-labelledby="best-title"></div>
    <h3 id="middle-title">Middling</h3><div class="cards" id="middle" aria-labelledby="middle-title"></div>
    <h3 id="worst-title">Worst</h3><div class="cards" id="worst" aria-labelledby="worst-title"></div>
    <h3 id="all-title">All photos</h3>
    <form class="controls" id="controls" role="search">
    <label>Find <input type="search" id="find" placeholder="words in captions or references" autocomplete="off"></label>
    <label>Sort by <select id="sort"></select></label>
    <label>Show <select id="show"></select></label>
    <output id="count" role="status"></output>
    </form>
    <div class="cards" id="all" aria-labelledby="all-title"></div>
    <p class="more"><button type="button" id="more">Show more</button></p>
    """

  private struct Gallery: Encodable {
    let rows: [GalleryRow]
    /// The CIDEr from which on a caption is good, in thousandths.
    let threshold: Int?
    let looks: GalleryLooks.Frame?
  }

  private var json: String {
    get throws {
      let rows = zip(shown, thumbnails).map { row, source in
        GalleryRow(
          report.evaluation.rows[row], source: source, confidence: report.trust?.confidences[row],
          looks: report.looks?.explanations[row])
      }
      let threshold = report.trust.map { Int(saturating: ($0.threshold * 1000).rounded()) }
      return try canonicalJSON(Gallery(rows: rows, threshold: threshold, looks: report.looks?.frame))
    }
  }
}
