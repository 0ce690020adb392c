internal import Foundation
internal import Support

/// Series over the steps of a run, the best epoch marked.
struct LineChart {
  /// How values are read.
  struct Scale {
    /// Values are multiplied by this, and `unit` follows them.
    var factor = 1.0
    var unit = ""
    /// Digits after the point in the legend.
    var digits = 3
    /// What the axis shows whatever the values.
    var includes: [Double] = []
  }

  let title: String
  let scale: Scale
  let series: [Series]

  /// A chart; nil if nothing was measured.
  init?(_ title: String, _ scale: Scale = Scale(), _ series: [Series]) {
    let series = series.filter { !$0.points.isEmpty }
    guard !series.isEmpty else { return nil }
    self.title = title
    self.scale = scale
    self.series = series
  }

  /// The figure.
  /// - Parameters:
  ///   - steps: where the run is: the end of the axis.
  ///   - best: the step of the best epoch, and what to call it.
  func figure(steps: Double, xLabel: String, best: (step: Double, label: String)?) -> String {
    let scaled = series.map { series in
      Series.thinned(
        series.points.map { Series.Point(step: $0.step, value: $0.value * scale.factor) })
    }
    let end = max(1, steps, scaled.joined().map(\.step).max() ?? 1)
    let range = Self.range(scaled.joined().map(\.value) + scale.includes)
    let yTicks = Ticks.within(range, wanted: 5)
    let apart = yTicks.count > 1 ? yTicks[1] - yTicks[0] : 1
    let tickDigits = min(9, max(0, Int(saturating: (-log10(apart) - 1e-9).rounded(.up))))
    var chart = Chart(title, summary: summary, x: 0...end, y: range)
    if let best { chart.rule(at: best.step, label: best.label) }
    var number = 0
    for (series, points) in zip(series, scaled) {
      chart.series(
        points.map { ($0.step, $0.value) }, style: series.style,
        reading: series.isRead ? (number, points.map { text($0.value) }) : nil)
      if series.isRead { number += 1 }
      guard series.isDotted, points.count <= 60 else { continue }
      for point in points {
        let isBest = point.step == best?.step
        chart.dot(
          (point.step, point.value), radius: isBest ? 4.5 : 2.6, style: series.style + "-dot",
          label: "\(series.name): \(text(point.value)) at step \(HTML.number(point.step, 0))"
            + (isBest ? ", best" : ""))
      }
    }
    return chart.figure(
      xTicks: Ticks.within(0...end, wanted: 5).map { ($0, Self.steps($0)) },
      yTicks: yTicks.map { ($0, HTML.number($0, tickDigits)) }, xLabel: xLabel, legend: legend)
  }

  /// Names with the last values; the page's script puts in those at the pointer.
  private var legend: String {
    let items = series.filter(\.isRead).map { series in
      let last = series.points.last.map { text($0.value * scale.factor) } ?? ""
      return "<span class=\"item\"><span class=\"key line \(series.style)\"></span>"
        + "\(HTML.escaped(series.name)) <b class=\"value\">\(HTML.escaped(last))</b></span>"
    }
    return items.joined(separator: " ") + " <span class=\"at\">latest</span>"
  }

  /// What the chart shows, in words.
  private var summary: String {
    let parts = series.filter(\.isRead).compactMap { series -> String? in
      guard let first = series.points.first, let last = series.points.last else { return nil }
      let values = series.points.map { $0.value * scale.factor }
      guard values.count > 1, let low = values.min(), let high = values.max() else {
        return "\(series.name) \(text(last.value * scale.factor))"
      }
      return "\(series.name) from \(text(first.value * scale.factor)) to \(text(last.value * scale.factor)), "
        + "lowest \(text(low)), highest \(text(high))"
    }
    return "\(title): " + parts.joined(separator: "; ")
  }

  private func text(_ value: Double) -> String { HTML.number(value, scale.digits) + scale.unit }

  /// A little more than the values need.
  private static func range(_ values: [Double]) -> ClosedRange<Double> {
    guard let low = values.min(), let high = values.max() else { return 0...1 }
    guard high - low > 1e-9 * max(abs(high), 1) else {
      let room = max(abs(high) * 0.1, 0.5)
      return low - (low == 0 ? 0 : room)...high + room
    }
    let room = (high - low) * 0.06
    // Zero stays the edge where it is one.
    return (low == 0 ? 0 : low - room)...(high == 0 ? 0 : high + room)
  }

  /// 1500 gives 1.5k.
  static func steps(_ value: Double) -> String {
    guard abs(value) >= 1000 else { return HTML.number(value, value.rounded() == value ? 0 : 1) }
    let (amount, unit) = abs(value) >= 1e6 ? (value / 1e6, "M") : (value / 1e3, "k")
    return HTML.number(amount, (amount * 10).rounded() / 10 == amount.rounded() ? 0 : 1) + unit
  }
}
