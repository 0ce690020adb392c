import Foundation
import Imaging
import Language
import Models
import Testing

@testable import Reporting

@Suite struct ExplanationPageTests {
  private static func photo(_ path: String, word: String) -> ExplainedPhoto {
    ExplainedPhoto(
      path: path, image: RGBImage(width: 2, height: 2, pixels: [UInt8](repeating: 9, count: 12)),
      caption: Caption(words: [.init(word: word, logProb: -0.7), .init(word: "</s>", logProb: -0.1)]),
      explanation: Explanation(
        kind: .attention, rows: 1, columns: 2, weights: [[0.25, 0.75], [0.5, 0.5]]))
  }

  /// Names and words that mean harm are text; the brightest cell is not darkened.
  @Test func saysWhereItLooked() {
    var page = ExplanationPage(model: "a/<b>.safetensors")
    page.add(Self.photo("x/<i>.jpg", word: "<script>alert(1)</script>"))
    let html = page.html
    #expect(!html.contains("<script>") && !html.contains("<i>") && !html.contains("<b>"))
    #expect(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;") && html.contains("&lt;i&gt;.jpg"))
    #expect(html.contains("75 % at most") && html.contains("(end)"))
    #expect(html.contains(#"<rect x="1" y="0" width="1.02" height="1.02" opacity="0.00"/>"#))
    #expect(html.contains(#"<rect x="0" y="0" width="1.02" height="1.02" opacity="0.52"/>"#))
  }

  @Test func isFullAtItsLimit() {
    var page = ExplanationPage(model: "m")
    for number in 0..<ExplanationPage.limit + 2 {
      #expect(page.isFull == (number >= ExplanationPage.limit))
      page.add(Self.photo("\(number).jpg", word: "dog"))
    }
    #expect(page.html.components(separatedBy: "<section>").count == ExplanationPage.limit + 1)
  }
}
