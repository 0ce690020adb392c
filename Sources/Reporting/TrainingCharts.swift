internal import Evaluation
internal import Foundation
internal import CaptionMetrics
internal import Support
internal import Training

/// The curves of a run.
struct TrainingCharts {
  private let log: TrainingLog

  init(_ log: TrainingLog) { self.log = log }

  /// The figures, those without a point left out.
  var figures: [String] {
    let steps = max(Double(log.steps.last?.step ?? 0), Double(log.epochs.last?.step ?? 0))
    let best = log.best.map { (step: Double($0.step), label: "best: epoch \($0.epoch)") }
    let xLabel = log.epochs.last.flatMap { last -> String? in
      guard last.epoch > 0, last.step >= last.epoch else { return nil }
      return "steps, \(last.step / last.epoch) an epoch"
    }
    let scheduled = log.steps.contains { $0.epsilon < 1 } || log.epochs.contains { $0.epsilon < 1 }
    let charts: [LineChart?] = [
      LineChart(
        "Loss, nats per word", .init(),
        training
          + [
            byEpoch("validation", style: "outline") { $0.validation.loss },
            byEpoch("mismatched images", style: "ideal") { $0.validation.mismatchedImageLoss },
          ]),
      LineChart(
        "Validation perplexity", .init(digits: 2),
        [byEpoch("perplexity", style: "outline") { $0.validation.perplexity }]),
      LineChart(
        "CIDEr × 100", .init(factor: 100, digits: 1),
        [byEpoch("validation", style: "outline") { $0.validation.cider }]),
      LineChart(
        "METEOR × 100", .init(factor: 100, digits: 1),
        [byEpoch("validation", style: "outline") { $0.validation[.meteor] ?? .nan }]),
      LineChart(
        "BLEU-4 × 100", .init(factor: 100, digits: 1),
        [byEpoch("validation", style: "outline") { $0.validation.bleu4 }]),
      LineChart(
        "Distinct captions", .init(factor: 100, unit: " %", digits: 1, includes: [0]),
        [byEpoch("differ from all others", style: "outline") { $0.validation.distinct }]),
      rate,
      scheduled
        ? LineChart(
          "ε, chance of the true word", .init(includes: [0, 1]),
          [Series("scheduled sampling", style: "curve", points(\.epsilon) { $0.epsilon })]) : nil,
      LineChart(
        "Reward × 100", .init(factor: 100, digits: 1),
        [byEpoch("CIDEr of captions drawn", style: "curve") { $0.reward ?? .nan }]),
      LineChart(
        "Norm of the gradient", .init(includes: [0]),
        smoothed(
          log.steps.map { Series.Point(step: Double($0.step), value: $0.gradient_norm) },
          name: "before clipping")),
    ]
    return charts.compactMap { $0?.figure(steps: steps, xLabel: xLabel ?? "steps", best: best) }
  }

  private var training: [Series] {
    // In a small set an epoch may be over before a step is logged.
    guard log.steps.count > log.epochs.count else {
      return [byEpoch("training", style: "curve") { $0.training_loss }]
    }
    return smoothed(log.steps.map { Series.Point(step: Double($0.step), value: $0.loss) }, name: "training")
  }

  /// Each value faintly, and what they come to.
  private func smoothed(_ points: [Series.Point], name: String) -> [Series] {
    guard points.count >= 8 else { return [Series(name, style: "curve", points, isDotted: true)] }
    return [
      Series(name, style: "raw", points, isRead: false),
      Series(name, style: "curve", Series.smoothed(Series(name, style: "", points).points)),
    ]
  }

  /// In units of a power of ten, which leaves short numbers to the axis.
  private var rate: LineChart? {
    let points = points(\.learning_rate) { $0.learning_rate }
    guard let highest = points.map(\.value).filter(\.isFinite).max(), highest > 1e-30 else { return nil }
    let power = max(-30, min(0, (log10(highest) + 1e-6).rounded(.down)))
    let unit = power == 0 ? "" : " · 10\(Self.superscript(Int(saturating: power)))"
    return LineChart(
      "Learning rate\(power == 0 ? "" : " × 10\(Self.superscript(Int(saturating: -power)))")",
      .init(factor: pow(10, -power), unit: unit, digits: 2, includes: [0]),
      [Series("of the next step", style: "curve", points)])
  }

  private func byEpoch(
    _ name: String, style: String, _ value: (TrainingRecord.Epoch) -> Double
  ) -> Series {
    Series(
      name, style: style, log.epochs.map { Series.Point(step: Double($0.step), value: value($0)) },
      isDotted: true)
  }

  /// What both kinds of line tell, in order.
  private func points(
    _ ofStep: (TrainingRecord.Step) -> Double, _ ofEpoch: (TrainingRecord.Epoch) -> Double
  ) -> [Series.Point] {
    (log.steps.map { Series.Point(step: Double($0.step), value: ofStep($0)) }
      + log.epochs.map { Series.Point(step: Double($0.step), value: ofEpoch($0)) })
      .sorted { $0.step < $1.step }
  }

  private static func superscript(_ number: Int) -> String {
    let digits = ["⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"]
    return (number < 0 ? "⁻" : "")
      + String(abs(number)).compactMap(\.wholeNumberValue).map { digits[$0] }.joined()
  }
}
