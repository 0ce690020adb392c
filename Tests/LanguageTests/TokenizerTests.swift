import Foundation
import Language
import TestSupport
import Testing

/// The fixture is made by tools/golden/tokenizer.py.
@Test func tokenizerAgreesWithCocoCaption() throws {
  let rows = try String(contentsOfFile: fixture("tokenizer.tsv"), encoding: .utf8).split(separator: "\n")
  #expect(rows.count > 200)
  let tokenizer = Tokenizer(splitsUnspacedScripts: false)
  for row in rows {
    let columns = row.split(separator: "\t", maxSplits: 1, omittingEmptySubsequences: false)
    let words = columns[1].split(separator: " ").map(String.init)
    #expect(tokenizer.wholeTokens(String(columns[0])) == words, "\(columns[0])")
    let apart = words.flatMap { $0.split(separator: "\u{A0}").map { String($0).replacing("’", with: "'") } }
    #expect(tokenizer.tokens(String(columns[0])) == apart, "\(columns[0])")
  }
}

@Test func tokenizerSplitsContractionsAndDropsPunctuation() {
  let tokens = Tokenizer().tokens("A man doesn't (usually) wear \"a t-shirt\"; it's St. Nick.")
  #expect(
    tokens == [
      "a", "man", "does", "n't", "-lrb-", "usually", "-rrb-", "wear", "a", "t-shirt", "it", "'s", "st.",
      "nick",
    ])
}

@Test(arguments: [
  "", " ", "\n\r\t", ".", "\u{0}", "\u{0}\u{1}", "😀", "\u{FE0F}", "'", "'''''", "\u{200B}\u{FEFF}",
])
func nothingToSayGivesNoWords(text: String) {
  #expect(Tokenizer().tokens(text) == [])
}

/// Any text at all: tokens hold no white space, and none is empty.
@Test func tokenizerIsTotal() {
  var random = SystemRandomNumberGenerator()
  let pieces = [
    "a", "B", "n't", "'", "’", "‘", "`", "-", ".", ",", "/", "&", "@", "#", "$", ":", ";", "(", "<", ">", "_",
    "5", " ", "\u{A0}",
    "é", "e\u{301}", "ß", "日", "😀", "👩‍👩‍👧", "\u{AD}", "\u{200D}", "\u{FFFF}", "\u{10FFFF}", "\u{0}", "www.",
    "http://", "U.S.",
    "555", "12", "1/2",
  ]
  var found = 0
  for _ in 0..<3000 {
    let text = (0..<Int.random(in: 1...8, using: &random)).map { _ in
      pieces.randomElement(using: &random) ?? ""
    }.joined()
    #expect(Tokenizer().wholeTokens(text).allSatisfy { !$0.isEmpty && !$0.contains(" ") })
    for token in Tokenizer().tokens(text) {
      #expect(!token.isEmpty && !token.contains(where: \.isWhitespace), "\(text.debugDescription)")
      found += 1
    }
  }
  #expect(found > 3000)
  for value in stride(from: UInt32(0), to: 0x11_0000, by: 37) {
    guard let scalar = Unicode.Scalar(value) else { continue }
    _ = Tokenizer().tokens("a\(Character(scalar))'\(Character(scalar)).")
  }
}

@Test func aVeryLongWordIsOneToken() {
  let long = String(repeating: "a", count: 100_000)
  #expect(Tokenizer().tokens("the \(long) dog").map(\.count) == [3, 100_000, 3])
}

/// Quadratic behaviour would take minutes here.
@Test(arguments: [
  "a.", "a-", "a/", "'n", "...", "((", "a@", "1,", "a'", "no.", "__", "<a", "555 ", "(55", "+",
])
func repetitionTakesLinearTime(piece: String) {
  let text = String(repeating: piece, count: 20_000)
  let time = ContinuousClock().measure { _ = Tokenizer().tokens(text) }
  #expect(time < .seconds(20 * Sanitizer.slowness))
}
