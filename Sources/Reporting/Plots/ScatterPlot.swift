internal import Foundation

/// Points in a plane.
public struct ScatterPlot: Sendable {
  /// One of them.
  public struct Point: Sendable {
    /// Where it is.
    public let x, y: Double
    /// What a reader who points at it is told.
    public let label: String

    /// A point.
    public init(_ x: Double, _ y: Double, label: String) {
      self.x = x
      self.y = y
      self.label = label
    }
  }

  /// What is drawn under the points, and what the axes show.
  public enum Frame: Sendable {
    /// The complex plane around 0, as large as the points need, with the unit circle.
    case complexPlane
    /// Shares of a whole, the two of which add up to 1 at most: the line where they do.
    case shares(x: String)
  }

  private let title, summary: String
  private let frame: Frame
  private let points: [Point]

  /// A plot; points that are no numbers are left out.
  /// - Parameter summary: what it shows, for those who can't see it.
  public init(_ title: String, summary: String, _ frame: Frame, _ points: [Point]) {
    self.title = title
    self.summary = summary
    self.frame = frame
    self.points = points.filter { $0.x.isFinite && $0.y.isFinite }
  }

  /// The figure.
  var figure: String {
    switch frame {
    case .complexPlane: complexPlane
    case .shares(let x): shares(x)
    }
  }

  private var complexPlane: String {
    // One unit is as long upwards as along.
    let aspect = Chart.aspect
    let most = max(1, points.map { max(abs($0.y), abs($0.x) / aspect) }.max() ?? 1) * 1.08
    var chart = Chart(title, summary: summary, x: -most * aspect...most * aspect, y: -most...most)
    chart.line(
      (0...120).map { (cos(Double($0) * .pi / 60), sin(Double($0) * .pi / 60)) }, style: "ideal")
    draw(in: &chart)
    return chart.figure(
      xTicks: Self.ticks(most * aspect), yTicks: Self.ticks(most), xLabel: "real part",
      legend: "<span class=\"key stroke c0\"></span>eigenvalues; dotted is the unit circle")
  }

  private func shares(_ xLabel: String) -> String {
    var chart = Chart(title, summary: summary, x: 0...1, y: 0...1)
    chart.line([(0, 1), (1, 0)], style: "ideal")
    draw(in: &chart)
    let ticks = stride(from: 0.0, through: 1, by: 0.25).map { ($0, HTML.number($0, 2)) }
    return chart.figure(xTicks: ticks, yTicks: ticks, xLabel: xLabel, legend: "a dot a unit")
  }

  private func draw(in chart: inout Chart) {
    for point in points {
      chart.dot((point.x, point.y), radius: 2.2, style: "dot", label: point.label)
    }
  }

  private static func ticks(_ most: Double) -> [(Double, String)] {
    let values = Ticks.within(-most...most, wanted: 5)
    let digits = values.count > 1 && values[1] - values[0] < 1 ? 1 : 0
    return values.map { ($0, HTML.number($0, digits)) }
  }
}
