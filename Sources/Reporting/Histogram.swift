internal import Foundation
internal import Support

/// How captions and references spread over a number, side by side.
struct Histogram {
  /// A bin's lower end, and the share of captions and references in it.
  struct Bin: Equatable {
    let from: Double
    let captions, references: Double
  }

  let bins: [Bin]
  let width: Double

  /// Bins of `width` from a multiple of it on; values that are not finite are left out, and those beyond the middle
  /// 99.8 % of all are counted in the outermost bins.
  init(captions: [Double], references: [Double], width: Double) {
    self.width = width
    let all = (captions + references).filter(\.isFinite).sorted()
    guard let lowest = all.first else {
      bins = []
      return
    }
    let cut = all.count / 1000
    func place(_ value: Double) -> Int { Int(saturating: min(1e9, max(-1e9, value / width)).rounded(.down)) }
    let first = place(all.isEmpty ? lowest : all[cut])
    let last = min(place(all[all.count - 1 - cut]), first + 199)
    func shares(_ values: [Double]) -> [Double] {
      var counts = [Int](repeating: 0, count: last - first + 1)
      for value in values where value.isFinite { counts[min(last, max(first, place(value))) - first] += 1 }
      return counts.map { Double($0) / Double(max(1, values.count)) }
    }
    let (own, others) = (shares(captions), shares(references))
    bins = own.indices.map {
      Bin(from: Double(first + $0) * width, captions: own[$0], references: others[$0])
    }
  }

  /// The figure; `digits` after the point in labels.
  func figure(_ title: String, xLabel: String, digits: Int) -> String {
    guard let first = bins.first, let last = bins.last else { return "" }
    let highest = bins.map { max($0.captions, $0.references) }.max() ?? 0
    let step = highest > 0.3 ? 0.1 : highest > 0.12 ? 0.05 : 0.02
    let top = max(step, (highest / step).rounded(.up) * step)
    let peak = bins.max { $0.captions < $1.captions } ?? first
    let summary =
      "\(title): captions from \(HTML.number(first.from, digits)) to \(HTML.number(last.from + width, digits)), "
      + "most often \(HTML.number(peak.from, digits))"
    var chart = Chart(title, summary: summary, x: first.from...last.from + width, y: 0...top)
    for bin in bins {
      let range = bin.from...bin.from + width
      let place =
        "\(HTML.number(bin.from, digits))"
        + (digits == 0 ? "" : " to \(HTML.number(bin.from + width, digits))")
      chart.bar(
        range, to: bin.captions, style: "bar",
        label: "\(place): \(HTML.number(bin.captions * 100, 1)) % of captions")
    }
    chart.line(
      bins.flatMap { [($0.from, $0.references), ($0.from + width, $0.references)] }, style: "outline")
    let ticks = Ticks.within(first.from...last.from + width, wanted: 8).map {
      // Whole numbers are labelled under the middle of their bin.
      ($0 + (digits == 0 ? width / 2 : 0), HTML.number($0, $0.rounded() == $0 ? 0 : digits))
    }
    let lines = stride(from: 0, through: top + 1e-9, by: step).map {
      ($0, "\(Int(saturating: ($0 * 100).rounded())) %")
    }
    return chart.figure(
      xTicks: ticks, yTicks: lines, xLabel: xLabel,
      legend: "<span class=\"key fill\"></span>captions <span class=\"key stroke\"></span>references")
  }
}

/// Round numbers for an axis.
enum Ticks {
  /// About `wanted` multiples of 1, 2 or 5 times a power of 10.
  static func within(_ range: ClosedRange<Double>, wanted: Int) -> [Double] {
    let rough = max(range.upperBound - range.lowerBound, 1e-9) / Double(wanted)
    let power = pow(10, log10(rough).rounded(.down))
    let step = power * ([1, 2, 5, 10].first { $0 * power >= rough } ?? 10)
    let first = (range.lowerBound / step - 1e-9).rounded(.up)
    return (0...4 * wanted).map { (first + Double($0)) * step }.prefix { $0 <= range.upperBound + 1e-9 }
  }
}
