internal import Foundation

/// Lines over 0, 1, 2, …, of which the values may span many powers of ten.
public struct LinePlot: Sendable {
  /// One of them.
  public struct Line: Sendable {
    /// Its name in the legend.
    public let name: String
    /// Its value at 0, 1, 2, …; what is no number, or on a logarithmic axis not above 0, is left out.
    public let values: [Double]
    /// Which of the page's colours, from 0; lines that belong together share one.
    public let colour: Int
    /// Whether it is dashed.
    public let isDashed: Bool

    /// A line.
    public init(_ name: String, _ values: [Double], colour: Int, isDashed: Bool = false) {
      self.name = name
      self.values = values
      self.colour = colour
      self.isDashed = isDashed
    }
  }

  private let title, xLabel: String
  private let lines: [Line]
  private let isLogarithmic: Bool

  /// A plot.
  public init(_ title: String, xLabel: String, isLogarithmic: Bool = false, _ lines: [Line]) {
    self.title = title
    self.xLabel = xLabel
    self.isLogarithmic = isLogarithmic
    self.lines = lines
  }

  /// The number of colours.
  static let colours = 8

  /// The most powers of ten that an axis shows, below the highest.
  private static let decades = 45.0

  /// The figure; empty where there is nothing to draw.
  var figure: String {
    let drawn = lines.map { line in
      line.values.enumerated().compactMap { place, value -> (Double, Double)? in
        guard value.isFinite, !isLogarithmic || value > 0 else { return nil }
        return (Double(place), isLogarithmic ? log10(value) : value)
      }
    }
    let values = drawn.joined().map(\.1)
    guard let highest = values.max(), let least = values.min() else { return "" }
    let low = isLogarithmic ? max(least, highest - Self.decades) : least
    let room = max((highest - low) * 0.05, isLogarithmic ? 0.2 : max(1e-9, abs(highest) * 0.02))
    let end = Double(max(1, lines.map(\.values.count).max().map { $0 - 1 } ?? 1))
    var chart = Chart(title, summary: summary, x: 0...end, y: low - room...highest + room)
    for (line, points) in zip(lines, drawn) {
      // Where it is below the axis, it is at its edge.
      chart.line(
        points.map { ($0.0, max($0.1, low - room)) },
        style: "line c\(line.colour % Self.colours)" + (line.isDashed ? " dashed" : ""))
    }
    let ticks = Ticks.within(low - room...highest + room, wanted: 5)
      .filter { !isLogarithmic || $0.rounded() == $0 }
    return chart.figure(
      xTicks: Ticks.within(0...end, wanted: 5).map { ($0, HTML.number($0, 0)) },
      yTicks: ticks.map { ($0, isLogarithmic ? Self.power($0) : Self.plain($0, ticks)) }, xLabel: xLabel,
      legend: legend)
  }

  private var legend: String {
    lines.map {
      "<span class=\"item\"><span class=\"key stroke c\($0.colour % Self.colours)\($0.isDashed ? " dashed" : "")\"></span>"
        + "\(HTML.escaped($0.name))</span>"
    }.joined(separator: " ")
  }

  /// What the plot shows, in words.
  private var summary: String {
    let parts = lines.compactMap { line -> String? in
      guard let first = line.values.first, let last = line.values.last else { return nil }
      return "\(line.name) from \(Self.brief(first)) to \(Self.brief(last))"
    }
    return "\(title): " + parts.joined(separator: "; ")
  }

  private static func brief(_ value: Double) -> String { String(format: "%.3g", value) }

  /// 10⁻³.
  private static func power(_ exponent: Double) -> String {
    let digits = ["⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"]
    return "10" + (exponent < 0 ? "⁻" : "")
      + HTML.number(abs(exponent), 0).compactMap(\.wholeNumberValue).map { digits[$0] }.joined()
  }

  private static func plain(_ value: Double, _ ticks: [Double]) -> String {
    let apart = ticks.count > 1 ? ticks[1] - ticks[0] : 1
    return HTML.number(value, apart >= 1 ? 0 : apart >= 0.1 ? 1 : apart >= 0.01 ? 2 : 3)
  }
}
