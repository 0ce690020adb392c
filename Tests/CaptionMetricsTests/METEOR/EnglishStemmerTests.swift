import Foundation
import Testing

@testable import CaptionMetrics

@Suite struct EnglishStemmerTests {
  /// METEOR's own stemmer on made-up words, and on every rule's: tools/golden/meteor.py.
  @Test func stemsAreTheReferences() throws {
    let lines = try String(contentsOfFile: METEORGolden.folder + "/stems.tsv", encoding: .utf8)
      .split(separator: "\n").map {
        $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
      }
    #expect(lines.count > 1500)
    for line in lines { #expect(EnglishStemmer.stem(of: line[0]) == line[1], "\(line[0])") }
  }

  /// From the algorithm's page.
  @Test(arguments: [
    ("consign", "consign"), ("consisting", "consist"), ("consolation", "consol"), ("knavish", "knavish"),
    ("knocking", "knock"), ("knives", "knive"), ("skies", "sky"), ("generously", "generous"), ("", ""),
    ("'", "'"),
    ("日本語s", "日本語s"),
  ])
  func stemsAreThose(word: String, stem: String) { #expect(EnglishStemmer.stem(of: word) == stem) }
}
