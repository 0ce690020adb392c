import Foundation
import Testing

@testable import Reporting

@Suite struct CellPictureTests {
  private static func picture(_ text: String, _ activation: (Int) -> Float) -> CellPicture {
    let text = Array(text.unicodeScalars)
    return CellPicture(
      .init(title: "inside <a tag>", note: "Cell 3.", activations: text.indices.map(activation)), of: text)
  }

  /// Runs of one shade are one rectangle below their characters; tabs are four columns, and what means something to XML or
  /// a terminal is escaped.
  @Test func textIsColouredInRuns() {
    let svg = Self.picture("ab\u{1B}<c\n\td") { [1, 1, 0, -1, -0.5, 1, 0, 0.5][$0] }.svg
    #expect(svg.hasPrefix("<svg xmlns=") && svg.contains("inside &lt;a tag&gt;. Cell 3."))
    #expect(svg.contains("<rect x=\"12\" y=\"44\" width=\"14.40\" height=\"16\" class=\"p6\"/>"))
    #expect(svg.contains("class=\"n6\"/>") && svg.contains("class=\"n3\"/>"))
    #expect(svg.contains(">    d</text>") && svg.contains("&lt;c</text>") && !svg.contains("\u{1B}"))
    #expect(TagPairs(svg).isWellFormed)
  }

  /// A text of any length makes a picture of a page, also one line of it.
  @Test(arguments: ["x", "x\n", "some words "]) func isBounded(piece: String) {
    let svg = Self.picture(String(repeating: piece, count: 20_000)) { sin(Float($0)) }.svg
    #expect(svg.utf8.count < 400_000 && svg.components(separatedBy: "<text").count <= 42)
  }
}

/// Whether tags open and close in pairs.
private struct TagPairs {
  let isWellFormed: Bool

  init(_ text: String) {
    var open: [Substring] = []
    for tag in text.matches(of: /<(\/?)([a-z]+)[^>]*?(\/?)>/) {
      if tag.1 == "/" {
        guard open.popLast() == tag.2 else {
          isWellFormed = false
          return
        }
      } else if tag.3 != "/" {
        open.append(tag.2)
      }
    }
    isWellFormed = open.isEmpty
  }
}
