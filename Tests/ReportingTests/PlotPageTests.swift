import Foundation
import Testing

@testable import Reporting

@Suite struct PlotPageTests {
  /// The points of each line of a figure.
  private static func polylines(_ figure: String) -> [[(Double, Double)]] {
    figure.components(separatedBy: "<polyline").dropFirst().map { part in
      let points = part.components(separatedBy: "points=\"")[1].components(separatedBy: "\"")[0]
      return points.split(separator: " ").map { pair in
        let numbers = pair.split(separator: ",").compactMap { Double($0) }
        return (numbers[0], numbers[1])
      }
    }
  }

  /// On a logarithmic axis equal factors are equal distances; what is not above 0 or no number is left out.
  @Test func logarithmicAxis() throws {
    let plot = LinePlot(
      "Norms", xLabel: "steps", isLogarithmic: true,
      [
        LinePlot.Line("shrinks", [1, 0.1, 0.01, 0.001], colour: 0),
        LinePlot.Line("odd", [1, 0, .nan, .infinity, -1, 0.1], colour: 9, isDashed: true),
      ])
    let lines = Self.polylines(plot.figure)
    try #require(lines.count == 2)
    let heights = lines[0].map(\.1)
    #expect(
      zip(heights, heights.dropFirst()).allSatisfy { abs(($1 - $0) - (heights[1] - heights[0])) < 0.11 })
    #expect(heights[1] > heights[0] + 20)
    #expect(lines[1].count == 2 && abs(lines[1][1].1 - heights[1]) < 0.11)
    #expect(plot.figure.contains("10⁻²") && plot.figure.contains("class=\"line c1 dashed\""))
  }

  /// Numbers hundreds of powers of ten apart leave an axis that can be read, and a plot of nothing is none.
  @Test func extremes() {
    let plot = LinePlot(
      "Norms", xLabel: "steps", isLogarithmic: true,
      [LinePlot.Line("vanishes", [1, 1e-300], colour: 0), LinePlot.Line("grows", [1, 1e30], colour: 1)])
    let lines = Self.polylines(plot.figure)
    #expect(lines.joined().allSatisfy { $0.1.isFinite && (0...250).contains($0.1) })
    #expect(LinePlot("None", xLabel: "x", []).figure.isEmpty)
    #expect(LinePlot("None", xLabel: "x", [LinePlot.Line("n", [.nan], colour: 0)]).figure.isEmpty)
    let flat = LinePlot("Flat", xLabel: "x", [LinePlot.Line("f", [2, 2, 2], colour: 0)])
    #expect(Self.polylines(flat.figure).joined().allSatisfy { $0.1.isFinite })
  }

  /// The unit circle is one: as far across as upwards.
  @Test func theUnitCircleIsRound() throws {
    let plot = ScatterPlot(
      "<b>", summary: "two", .complexPlane,
      [.init(0.5, 1.4, label: "a"), .init(-0.5, -1.4, label: "b"), .init(.nan, 0, label: "c")])
    let circle = try #require(Self.polylines(plot.figure).first)
    let (x, y) = (circle.map(\.0), circle.map(\.1))
    let (width, height) = (x.max()! - x.min()!, y.max()! - y.min()!)
    #expect(abs(width - height) < 0.3 && width > 50)
    #expect(plot.figure.components(separatedBy: "<circle").count == 3 && !plot.figure.contains("<b>"))
  }

  @Test func everythingIsText() {
    let nasty = "</td><script>alert(1)</script>"
    let page = PlotPage(
      title: nasty, subtitle: nasty,
      [
        .init(
          nasty, note: nasty, lines: [LinePlot(nasty, xLabel: nasty, [.init(nasty, [1, 2], colour: 0)])],
          points: [ScatterPlot(nasty, summary: nasty, .shares(x: nasty), [.init(0, 1, label: nasty)])],
          table: .init(nasty, ["a", nasty], [[nasty, nasty]]))
      ])
    #expect(!page.html.contains("<script>") && page.html.contains("&lt;script&gt;"))
    #expect(page.html.contains("default-src 'none'"))
  }
}
