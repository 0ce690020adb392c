internal import Evaluation
internal import Foundation

/// A drawing area with axes, as inline SVG that takes its colours from the page.
struct Chart {
  private let title, summary: String
  private let x, y: ClosedRange<Double>
  private var marks: [String] = []

  /// Outer size, and the room for labels.
  private static let (width, height, left, bottom, top, right) = (440.0, 250.0, 44.0, 40.0, 12.0, 12.0)

  /// The inner width for each unit of inner height.
  static let aspect = (width - left - right) / (height - bottom - top)

  /// - Parameter summary: what the chart shows, for those who can't see it.
  init(_ title: String, summary: String, x: ClosedRange<Double>, y: ClosedRange<Double>) {
    self.title = title
    self.summary = summary
    self.x = x
    self.y = y
  }

  func px(_ value: Double) -> Double {
    let share = (value - x.lowerBound) / max(x.upperBound - x.lowerBound, 1e-12)
    return Self.left + share * (Self.width - Self.left - Self.right)
  }

  func py(_ value: Double) -> Double {
    let share = (value - y.lowerBound) / max(y.upperBound - y.lowerBound, 1e-12)
    return Self.height - Self.bottom - share * (Self.height - Self.bottom - Self.top)
  }

  mutating func bar(_ range: ClosedRange<Double>, to value: Double, style: String, label: String) {
    let (from, to) = (px(range.lowerBound), px(range.upperBound))
    let height = py(y.lowerBound) - py(value)
    guard height > 0 else { return }
    marks.append(
      "<rect class=\"\(style)\" x=\"\(Self.text(from + 0.5))\" y=\"\(Self.text(py(value)))\" "
        + "width=\"\(Self.text(max(1, to - from - 1)))\" height=\"\(Self.text(height))\">"
        + "<title>\(HTML.escaped(label))</title></rect>")
  }

  mutating func line(_ points: [(Double, Double)], style: String) {
    let path = points.map { "\(Self.text(px($0.0))),\(Self.text(py($0.1)))" }.joined(separator: " ")
    marks.append("<polyline class=\"\(style)\" points=\"\(path)\"/>")
  }

  /// A line whose values the page's script can read: the number of the legend's entry, and each value as text.
  mutating func series(
    _ points: [(Double, Double)], style: String, reading: (entry: Int, values: [String])?
  ) {
    let path = points.map { "\(Self.text(px($0.0))),\(Self.text(py($0.1)))" }.joined(separator: " ")
    var read = ""
    if let reading {
      let values = zip(points, reading.values).map { "\(Self.whole($0.0)):\($1)" }.joined(separator: "|")
      read = " data-entry=\"\(reading.entry)\" data-values=\"\(HTML.escaped(values))\""
    }
    marks.append("<polyline class=\"\(style)\" points=\"\(path)\"\(read)/>")
  }

  /// An upright line with a word at its top.
  mutating func rule(at value: Double, label: String) {
    let (at, isLeft) = (px(value), px(value) < Self.width / 2)
    marks.append(
      "<line class=\"rule\" x1=\"\(Self.text(at))\" x2=\"\(Self.text(at))\" y1=\"\(Self.top)\" "
        + "y2=\"\(Self.height - Self.bottom)\"/><text class=\"tick\" x=\"\(Self.text(at + (isLeft ? 5 : -5)))\" "
        + "y=\"\(Self.top - 3)\" text-anchor=\"\(isLeft ? "start" : "end")\">\(HTML.escaped(label))</text>")
  }

  mutating func dot(_ point: (Double, Double), radius: Double, style: String, label: String) {
    marks.append(
      "<circle class=\"\(style)\" cx=\"\(Self.text(px(point.0)))\" cy=\"\(Self.text(py(point.1)))\" "
        + "r=\"\(Self.text(radius))\"><title>\(HTML.escaped(label))</title></circle>")
  }

  /// The figure.
  /// - Parameters:
  ///   - xTicks: values with their labels.
  ///   - legend: HTML under the chart.
  func figure(
    xTicks: [(Double, String)], yTicks: [(Double, String)], xLabel: String, legend: String
  ) -> String {
    var svg =
      "<figure><figcaption>\(HTML.escaped(title))</figcaption>"
      + "<svg viewBox=\"0 0 \(Int(Self.width)) \(Int(Self.height))\" role=\"img\" "
      + "aria-label=\"\(HTML.escaped(summary))\">"
    for (value, label) in yTicks {
      let at = Self.text(py(value))
      svg +=
        "<line class=\"grid\" x1=\"\(Self.left)\" x2=\"\(Self.width - Self.right)\" y1=\"\(at)\" y2=\"\(at)\"/>"
      svg +=
        "<text class=\"tick\" x=\"\(Self.left - 7)\" y=\"\(at)\" dy=\".32em\" text-anchor=\"end\">"
        + "\(HTML.escaped(label))</text>"
    }
    svg += marks.joined()
    for (value, label) in xTicks {
      svg +=
        "<text class=\"tick\" x=\"\(Self.text(px(value)))\" y=\"\(Self.height - Self.bottom + 16)\" "
        + "text-anchor=\"middle\">\(HTML.escaped(label))</text>"
    }
    svg +=
      "<text class=\"tick\" x=\"\((Self.left + Self.width - Self.right) / 2)\" y=\"\(Self.height - 5)\" "
      + "text-anchor=\"middle\">\(HTML.escaped(xLabel))</text>"
    return svg + "</svg><p class=\"legend\">\(legend)</p></figure>"
  }

  private static func text(_ value: Double) -> String { String(format: "%.1f", value) }

  private static func whole(_ value: Double) -> String { String(format: "%.0f", value) }
}
