import Foundation
import Testing

@testable import Reporting

@Suite struct HTMLTests {
  private static let nasty = "</script><script>alert(1)</script><!-- & \"'\u{2028}\u{0}é"

  @Test func textBecomesText() {
    #expect(HTML.escaped("<a b=\"c\">&'") == "&lt;a b=&quot;c&quot;&gt;&amp;&#39;")
    #expect(!HTML.escaped(Self.nasty).contains("<"))
  }

  @Test func jsonCannotLeaveItsElement() throws {
    let json = String(decoding: try JSONEncoder().encode([Self.nasty]), as: UTF8.self)
    let safe = HTML.script(json)
    #expect(!safe.contains("<") && !safe.contains(">") && !safe.contains("&") && !safe.contains("\u{2028}"))
    #expect(try JSONDecoder().decode([String].self, from: Data(safe.utf8)) == [Self.nasty])
  }

  @Test func urlsAndNumbers() {
    #expect(HTML.urlComponent("a b#?é%.html") == "a%20b%23%3F%C3%A9%25.html")
    #expect(HTML.number(-1.005, 1) == "−1.0" && HTML.number(-0.001, 1) == "0.0")
    #expect(HTML.number(.nan, 2) == "–" && HTML.number(-.infinity, 2) == "−∞")
  }

  @Test func ticksAreRound() {
    #expect(Ticks.within(-7...0, wanted: 8) == [-7, -6, -5, -4, -3, -2, -1, 0])
    #expect(Ticks.within(3...27, wanted: 8) == [5, 10, 15, 20, 25])
    #expect(Ticks.within(0...0, wanted: 8).count <= 33)
  }

  @Test func histogramsCountShares() {
    let histogram = Histogram(captions: [1, 1, 2, .nan, .infinity], references: [3, -1], width: 1)
    #expect(histogram.bins.map(\.from) == [-1, 0, 1, 2, 3])
    #expect(histogram.bins.map(\.captions) == [0, 0, 0.4, 0.2, 0] && histogram.bins[4].references == 0.5)
    #expect(Histogram(captions: [], references: [], width: 1).figure("t", xLabel: "x", digits: 0) == "")
    // One that is far away costs no thousand bins.
    let far = Histogram(captions: [0, -1e30, 1e30], references: [], width: 0.2)
    #expect(far.bins.count <= 200)
  }
}
