import Foundation
import Testing

@testable import Reporting

@Suite struct TrainingPageTests {
  /// A line of `log.jsonl` at the end of an epoch.
  private static func epoch(
    _ number: Int, loss: String = "3.1", best: Bool = false, reward: String? = nil,
    caption: String = "a dog runs"
  ) -> String {
    """
    {"best":\(best),"epoch":\(number),"epsilon":0.9,"learning_rate":0.0004,\(reward.map { "\"reward\":\($0)," } ?? "")\
    "samples":[{"caption":"\(caption)","image":"nowhere/a&b<1>.jpg","log_prob":-7.25}],"seconds":\(number * 60),\
    "step":\(number * 100),"training_loss":3.5,"validation":{"Bleu_1":0.6,"Bleu_4":0.21,"CIDEr":0.5,"distinct":0.8,\
    "loss":\(loss),"perplexity":22.5,"shuffled_loss":4.0}}

    """
  }

  private static func step(_ number: Int, loss: String = "4.5") -> String {
    #"{"epoch":1,"epsilon":0.95,"gradient_norm":1.5,"learning_rate":0.0004,"loss":\#(loss),"step":\#(number)}"#
      + "\n"
  }

  private static func page(
    _ log: String, configuration: String? = nil, _ state: TrainingPage.State = .finished
  ) throws -> String {
    let folder = FileManager.default.temporaryDirectory.path + "/run-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try Data(log.utf8).write(to: URL(fileURLWithPath: folder + "/log.jsonl"))
    if let configuration {
      try Data(configuration.utf8).write(to: URL(fileURLWithPath: folder + "/config.json"))
    }
    var page = TrainingPage(folder: folder)
    try page.write(state)
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.contains("partial") } == [])
    return try String(contentsOfFile: folder + "/report.html", encoding: .utf8)
  }

  /// There is a drawing, and nothing of it is no number.
  private static func isSound(_ html: String) -> Bool {
    let numbers = html.matches(of: /(?:points|[xy][12]?|c[xy]|width|height|r)="([^"]*)"/).map {
      $0.1.lowercased()
    }
    return !numbers.isEmpty && numbers.allSatisfy { !$0.contains("nan") && !$0.contains("inf") }
  }

  @Test func tellsTheWholeRun() throws {
    let log =
      Self.step(1) + Self.step(50) + Self.epoch(1, best: true, caption: "a cat") + Self.step(150)
      + Self.epoch(2, best: true) + Self.step(250) + Self.epoch(3)
    let html = try Self.page(
      log,
      configuration: #"{"epochs":9,"optimizer":{"rule":"adam"},"learningRate":0.01,"captions":"<b>.json"}"#)
    for title in [
      "Loss, nats per word", "Validation perplexity", "BLEU-4 × 100", "CIDEr × 100", "Learning rate × 10⁴",
      "ε, chance of the true word", "Distinct captions", "Norm of the gradient",
    ] { #expect(html.contains("<figcaption>\(title)</figcaption>"), "\(title)") }
    #expect(html.contains("data-values=\"100:22.50|200:22.50|300:22.50\""))
    #expect(html.contains("data-values=\"1:4.500|50:4.500|150:4.500|250:4.500\""))
    // The second epoch was the best; the third is what the run is at.
    #expect(html.contains("<strong>2</strong> best epoch by perplexity<small>of 3</small>"))
    #expect(html.contains(">2 ★ best</th>") && html.contains(">best: epoch 2</text>"))
    #expect(html.contains("after 3 epochs of at most 9 · 3 min 00 s"))
    // What differs from the defaults, and no more.
    #expect(html.contains(">captions</th><td>&lt;b&gt;.json</td><td>–</td>"))
    #expect(
      html.contains(">learning_rate</th><td>0.01</td><td>0.0004</td>") && !html.contains(">hidden_size</th>"))
    #expect(!html.contains("reward") && Self.isSound(html))
  }

  /// Epochs of fewer steps than lie between two lines of the log.
  @Test func aShortRunHasAllItsCurves() throws {
    let html = try Self.page(Self.step(1) + Self.epoch(1, best: true) + Self.epoch(2))
    #expect(html.contains("data-values=\"100:3.500|200:3.500\"") && Self.isSound(html))
  }

  @Test func needsNothingElse() throws {
    let html = try Self.page(Self.step(1) + Self.epoch(1, best: true))
    #expect(html.matches(of: /https?:\/\/(?!www\.w3\.org\/2000\/svg")/).isEmpty)
    #expect(html.matches(of: /(?:src|href)="(?!data:)/).isEmpty && !html.contains("url("))
    #expect(html.contains("default-src 'none'"))
  }

  @Test func captionsAreText() throws {
    let html = try Self.page(
      Self.epoch(1, best: true, caption: "a <script>alert(1)</script> & \\\"b\\\"")
        + Self.epoch(2, caption: "a <i> & \\\"c\\\""))
    #expect(html.contains("a &lt;i&gt; &amp; &quot;c&quot;</p>") && html.contains("a&amp;b&lt;1&gt;.jpg"))
    #expect(!html.contains("<script>alert") && !html.contains("b<1>"))
    // Only what is new is marked.
    #expect(html.contains("a <b>&lt;i&gt;</b> &amp; <b>&quot;c&quot;</b>"))
  }

  @Test func anyLogGivesAPage() throws {
    let empty = try Self.page("", .running(epochs: 0))
    #expect(empty.contains("Running") && empty.contains("first epoch") && !empty.contains("<figure"))
    // A last line that is being written is no fault; one in the middle is.
    let torn = try Self.page(Self.epoch(1, best: true) + Self.epoch(2).prefix(60))
    #expect(torn.contains("after 1 epoch ·") && !torn.contains("can&#39;t be read"))
    let broken = try Self.page("{\"step\":\n" + Self.epoch(1, best: true), configuration: "[")
    #expect(broken.contains("1 line of the log can&#39;t be read") && broken.contains("after 1 epoch ·"))
    #expect(!broken.contains("id=\"configuration\""))
    let far = try Self.page(
      Self.step(.max) + Self.epoch(1).replacing("\"epoch\":1", with: "\"epoch\":9223372036854775807"),
      configuration: #"{"epochs":9223372036854775807}"#, .running(epochs: .infinity))
    #expect(Self.isSound(far))
  }

  @Test func numbersThatAreNoneLeaveGaps() throws {
    let html = try Self.page(
      Self.step(1, loss: "\"NaN\"") + Self.step(50, loss: "\"Infinity\"") + Self.step(100, loss: "1e300")
        + Self.step(150) + Self.epoch(1, loss: "\"NaN\"", best: true, reward: "\"-Infinity\"") + Self.epoch(2)
    )
    #expect(Self.isSound(html) && html.contains("data-values=\"150:4.500\""))
  }

  @Test func tellsItsStateAndWhatIsLeft() throws {
    let log = Self.epoch(1, best: true, reward: "0.7") + Self.epoch(2, best: true, reward: "0.8")
    let running = try Self.page(log, configuration: #"{"epochs":10}"#, .running(epochs: 2.5))
    #expect(running.contains("data-running=\"true\"") && running.contains("epoch 3 of at most 10"))
    #expect(running.contains("at most about 7 min 30 s left") && running.contains("value=\"25\""))
    #expect(running.contains("<strong>80.0</strong> reward") && running.contains("Reward × 100"))
    let stopped = try Self.page(log, .stopped(reason: "the gradient of <x>"))
    #expect(stopped.contains(">Stopped<") && stopped.contains("the gradient of &lt;x&gt;"))
    #expect(stopped.contains("data-running=\"false\""))
  }

  @Test func aLongRunStaysSmall() throws {
    var log = ""
    for number in 0..<20_000 {
      log += Self.step(number * 50, loss: "\(4.0 + Double(number * 7919 % 100) / 100)")
    }
    for number in 1...300 { log += Self.epoch(number, best: true, caption: "a dog \(number)") }
    let html = try Self.page(log)
    #expect(html.utf8.count < 400_000)
    #expect(html.contains("270 other captions") && html.contains("the last 200 epochs"))
  }
}

@Suite struct SeriesTests {
  @Test func thinningKeepsEndsAndPeaks() {
    let points = (0..<5000).map { Series.Point(step: Double($0), value: $0 == 1234 ? 99 : Double($0 % 7)) }
    let thinned = Series.thinned(points, to: 200)
    #expect(thinned.count <= 201 && thinned.first == points.first && thinned.last == points.last)
    #expect(
      thinned.contains(points[1234]) && zip(thinned, thinned.dropFirst()).allSatisfy { $0.step <= $1.step })
    #expect(Series.thinned(Array(points.prefix(9)), to: 200).count == 9)
  }

  @Test func smoothingBeginsAtTheFirstValue() {
    let points = [8.0, 8, 2, 2, 2].enumerated().map { Series.Point(step: Double($0), value: $1) }
    let smooth = Series.smoothed(points).map(\.value)
    #expect(
      smooth[0] == 8 && abs(smooth[1] - 8) < 1e-12 && smooth[2] > 2 && smooth[2] < 8 && smooth[4] < smooth[3])
  }

  @Test func newWordsAreThoseNotKept() {
    func new(_ words: String, after before: String) -> Set<Int> {
      SampleCards.new(
        words.split(separator: " ").map(String.init), after: before.split(separator: " ").map(String.init))
    }
    #expect(
      new("a brown dog runs", after: "a dog jumps") == [1, 3] && new("a dog", after: "a dog runs") == [])
    #expect(new("a dog", after: "two cats") == [0, 1] && new("", after: "a") == [])
  }
}
