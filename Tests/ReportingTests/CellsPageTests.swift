import Foundation
import Testing

@testable import Reporting

@Suite struct CellsPageTests {
  /// Runs of one shade are one element; beyond ±1 is as ±1, and what is no number has no colour.
  @Test func textIsColouredInRuns() {
    let text = Array("ab<c\u{1B}d\n\te".unicodeScalars)
    let html = CellsPage.coloured(text, [1, 2, -1, -0.5, 0, .nan, 0.01, 0.5, .infinity])
    #expect(
      html == #"<i class="p6">ab</i><i class="n6">&lt;</i><i class="n3">c</i>\u{1B}d"#
        + "\n" + #"<i class="p3">    </i>e"#)
  }

  @Test func pagesHoldTextAndEscapeIt() {
    let nasty = "</div><script>alert(1)</script>"
    let page = CellsPage(
      title: nasty, subtitle: nasty, text: Array(nasty.unicodeScalars),
      cells: [.init(title: nasty, note: nasty, activations: nasty.unicodeScalars.map { _ in 0 })],
      table: .init("t", ["Property", "Cell"], [[nasty, "1"]]),
      saturation: [ScatterPlot(nasty, summary: nasty, .shares(x: "x"), [.init(0.5, 0.5, label: nasty)])])
    #expect(!page.html.contains("<script>"))
    #expect(page.html.components(separatedBy: "&lt;/div&gt;&lt;script&gt;").count > 6)
    #expect(page.html.contains(".n6 {") && page.html.contains("<h2>Gates</h2>"))
  }

  @Test func withoutGates() {
    let page = CellsPage(
      title: "t", subtitle: "s", text: [], cells: [], table: .init("t", ["Property"], []), saturation: [])
    #expect(!page.html.contains("<h2>Gates</h2>"))
  }
}
