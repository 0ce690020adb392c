internal import Datasets
internal import Evaluation
internal import Foundation
internal import CaptionMetrics
internal import Support
internal import Training

/// The training page's HTML.
struct TrainingDocument {
  /// The run's name.
  let name: String
  let log: TrainingLog
  let options: RunOptions
  let state: TrainingPage.State
  /// When it was written.
  let updated: String
  /// Seconds spent.
  let passed: Double
  /// Sources of pictures, by photo.
  let thumbnails: [String: String]

  func html() -> String {
    HTML.document(
      title: "\(name): training", images: "data:", style: TrainingStyle.text,
      body: """
        <header>
        <p class="kicker">Captioner training</p>
        <h1>\(HTML.escaped(name))</h1>
        \(status)
        <ul class="headline">\(headline)</ul>
        </header>
        <main id="run" data-running="\(isRunning)" data-epochs="\(log.epochs.suffix(2000).map { "\($0.epoch):\($0.step)" }.joined(separator: " "))">
        \(warnings)\(curves)\(photos)\(epochTable)\(configuration)
        </main>
        <footer class="note">Written \(HTML.escaped(updated)) from log.jsonl and config.json.</footer>
        <script>
        \(TrainingScript.text)
        </script>
        """)
  }

  private var isRunning: Bool { if case .running = state { true } else { false } }

  // MARK: How far it is

  private var status: String {
    let done = epochsDone
    let limit = options.epochs
    let most = limit.map { " of at most \($0)" } ?? ""
    var parts: [String] = []
    let pill: String
    switch state {
    case .running:
      pill = "<strong class=\"state running\">Running</strong>"
      let under = min(done.rounded(.down) + 1, Double(limit ?? .max))
      parts.append("epoch \(HTML.number(under, 0))\(most)")
      parts.append(ProgressLine.duration(passed) + " so far")
      if let left { parts.append("at most about \(ProgressLine.duration(left)) left") }
    case .stopped(let reason):
      pill = "<strong class=\"state stopped\">Stopped</strong>"
      parts.append("after \(Self.count(log.epochs.last?.epoch ?? 0, "epoch"))\(most)")
      parts.append(ProgressLine.duration(passed))
      if !reason.isEmpty { parts.append(reason) }
    case .finished:
      pill = "<strong class=\"state finished\">Finished</strong>"
      parts.append("after \(Self.count(log.epochs.last?.epoch ?? 0, "epoch"))\(most)")
      parts.append(ProgressLine.duration(passed))
    }
    // A run that ends early is as finished as another.
    let share = state == .finished ? 1 : min(1, max(0, done / Double(max(1, limit ?? 1))))
    let bar =
      limit == nil && state != .finished
      ? ""
      : "<progress max=\"100\" value=\"\(HTML.number(share * 100, 0))\" aria-label=\"Epochs done\"></progress>"
    return
      "<p class=\"status\">\(pill) <span>\(HTML.escaped(parts.joined(separator: " · ")))</span></p>\(bar)"
  }

  /// Epochs done, the part of the one under way counted.
  private var epochsDone: Double {
    let ended = Double(log.epochs.last?.epoch ?? 0)
    if case .running(let epochs) = state, epochs.isFinite { return max(ended, epochs) }
    return ended
  }

  /// Seconds to the last epoch the run may take.
  private var left: Double? {
    guard let limit = options.epochs else { return nil }
    let pace = log.pace ?? (epochsDone > 0.02 ? passed / epochsDone : nil)
    return pace.map { max(0, Double(limit) - epochsDone) * $0 }
  }

  private var headline: String {
    guard let last = log.epochs.last else { return "" }
    let best = log.best ?? last
    let isLatest = best.epoch == last.epoch
    func item(_ title: String, _ text: (TrainingRecord.Epoch) -> String) -> String {
      "<li><strong>\(text(best))</strong> \(title)"
        + (isLatest ? "" : "<small>now \(text(last))</small>") + "</li>"
    }
    let metric = options["validation_metric"].map { " by \(HTML.escaped($0))" } ?? ""
    var items = [
      "<li><strong>\(best.epoch)</strong> best epoch\(metric)"
        + (isLatest ? "<small>the latest</small>" : "<small>of \(last.epoch)</small>") + "</li>",
      item("perplexity") { HTML.number($0.validation.perplexity, 2) },
      item("BLEU-4") { HTML.number($0.validation.bleu4 * 100, 1) },
      item("CIDEr") { HTML.number($0.validation.cider * 100, 1) },
      item("distinct") { HTML.number($0.validation.distinct * 100, 1) + " %" },
    ]
    if best.validation[.meteor] != nil {
      items.append(item("METEOR") { HTML.number(($0.validation[.meteor] ?? .nan) * 100, 1) })
    }
    if best.reward != nil { items.append(item("reward") { HTML.number(($0.reward ?? .nan) * 100, 1) }) }
    return items.joined()
  }

  private var warnings: String {
    var notes: [String] = []
    if log.epochs.last?.validation.hasCollapsed == true {
      notes.append(
        "All photos get much the same caption. That passes early in a run; later a lower learning rate may help."
      )
    }
    if log.unreadable > 0 { notes.append("\(Self.count(log.unreadable, "line")) of the log can't be read.") }
    if log.epochs.isEmpty {
      notes.append("Validation scores and captions come with the end of the first epoch.")
    }
    return notes.map { "<p class=\"note warning\">\(HTML.escaped($0))</p>" }.joined()
  }

  // MARK: Sections

  private var curves: String {
    let charts = TrainingCharts(log).figures
    guard !charts.isEmpty else { return "" }
    return """
      <section aria-labelledby="curves"><h2 id="curves">Curves</h2>
      <p class="note">Blue is training, orange validation. The further the loss of mismatched images, every
      photo exchanged for another, lies above validation's, the more the captions owe to the photo.</p>
      <div class="charts">\(charts.joined(separator: "\n"))</div>
      </section>

      """
  }

  private var photos: String {
    let cards = SampleCards(log, thumbnails: thumbnails).html
    guard !cards.isEmpty else { return "" }
    return """
      <section aria-labelledby="photos"><h2 id="photos">What it says of the same photos</h2>
      <p class="note">The first validation photos, captioned after each epoch; log-probs are natural logarithms of the whole
      caption's probability. Words that are new are <b class="new">marked</b>; ★ is the best epoch.</p>
      <div class="cards">\(cards)</div>
      </section>

      """
  }

  /// The most rows of the table.
  private static let rows = 200

  private var epochTable: String {
    guard !log.epochs.isEmpty else { return "" }
    let (best, shown) = (log.best?.epoch, log.epochs.suffix(Self.rows))
    let (samples, rewards) = (
      log.epochs.contains { $0.epsilon < 1 }, log.epochs.contains { $0.reward != nil }
    )
    let meteor = log.epochs.contains { $0.validation[.meteor] != nil }
    var columns = [
      "Epoch", "Steps", "Training loss", "Loss", "… mismatched images", "Perplexity", "BLEU-1", "BLEU-4",
      "CIDEr",
    ]
    if meteor { columns.append("METEOR") }
    columns += ["Distinct", "Learning rate"]
    if samples { columns.append("ε") }
    if rewards { columns.append("Reward") }
    columns.append("Time")
    let rows = shown.map { epoch -> [String] in
      let scores = epoch.validation
      var row = [
        "\(epoch.epoch)" + (epoch.epoch == best ? " ★ best" : ""), "\(epoch.step)",
        HTML.number(epoch.training_loss, 3), HTML.number(scores.loss, 3),
        HTML.number(scores.mismatchedImageLoss, 3), HTML.number(scores.perplexity, 2),
        HTML.number(scores.bleu1 * 100, 1), HTML.number(scores.bleu4 * 100, 1),
        HTML.number(scores.cider * 100, 1),
      ]
      if meteor { row.append(scores[.meteor].map { HTML.number($0 * 100, 1) } ?? "–") }
      row.append(HTML.number(scores.distinct * 100, 1) + " %")
      row.append(String(format: "%.3g", epoch.learning_rate))
      if samples { row.append(HTML.number(epoch.epsilon, 3)) }
      if rewards { row.append(epoch.reward.map { HTML.number($0 * 100, 1) } ?? "") }
      row.append(epoch.seconds.isFinite ? ProgressLine.duration(epoch.seconds) : "–")
      return row
    }
    let part = shown.count < log.epochs.count ? "the last \(shown.count) epochs; " : ""
    let table = HTML.table(
      "Validation scores are × 100 but for loss (nats per word) and perplexity; \(part)time is since the beginning",
      columns, rows, marked: shown.firstIndex { $0.epoch == best }.map { $0 - shown.startIndex })
    return """
      <section aria-labelledby="epochs"><h2 id="epochs">Epochs</h2>
      <details id="epoch-table"\(rows.count <= 15 ? " open" : "")><summary>\(Self.count(log.epochs.count, "epoch")) in numbers</summary>
      \(table)</details>
      </section>

      """
  }

  private var configuration: String {
    guard !options.all.isEmpty else { return "" }
    let changed = options.changed
    let table = HTML.table(
      "As in config.json", ["Option", "This run", "Default"],
      changed.map { [$0.name, $0.value, $0.standard.isEmpty ? "–" : $0.standard] })
    let summary =
      "\(Self.count(changed.count, "option")) set, \(options.all.count - changed.count) at \(changed.isEmpty ? "their" : "the") default"
    return """
      <section aria-labelledby="configuration"><h2 id="configuration">Configuration</h2>
      <details id="options" class="options"><summary>\(summary)</summary>
      \(changed.isEmpty ? "" : table)</details>
      </section>

      """
  }

  private static func count(_ number: Int, _ what: String) -> String {
    "\(number) \(what)\(number == 1 ? "" : "s")"
  }
}
