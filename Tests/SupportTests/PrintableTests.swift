import Support
import Testing

@Suite struct PrintableTests {
  @Test func whatMovesATerminalIsEscaped() {
    #expect("a\u{1B}[31mb".printable() == #"a\u{1B}[31mb"#)
    #expect("\u{9B}2J\u{7F}\r\n\t\0".printable() == #"\u{9B}2J\u{7F}\u{D}\u{A}\u{9}\u{0}"#)
    #expect("a\u{202E}gpj\u{2066}\u{200F}".printable() == #"a\u{202E}gpj\u{2066}\u{200F}"#)
    #expect("a\u{2028}b\u{85}c".printable() == #"a\u{2028}b\u{85}c"#)
    #expect("a\nb\u{1B}".printable(keepingLines: true) == "a\nb\\u{1B}")
  }

  /// Letters of any language, joined ones and emoji stay.
  @Test(arguments: ["café", "cafe\u{301}", "שלום", "👩‍👧", "می‌خواهم", "犬 が", #"a\b"#]) func textStays(
    text: String
  ) {
    #expect(Array(text.printable().utf8) == Array(text.utf8))
    #expect(Array(text.printableJSON.utf8) == Array(text.utf8))
  }

  @Test func jsonStaysJSON() {
    #expect("{\"a\":\"\u{9B}\u{202E}\u{7F}\"}\n".printableJSON == "{\"a\":\"\\u009b\\u202e\\u007f\"}\n")
  }

  @Test func longTextLosesItsMiddle() {
    #expect("abc".shortened(to: 3) == "abc")
    let text = String(repeating: "a", count: 1_900_000) + "end"
    #expect(text.shortened(to: 30).count < 80 && text.shortened(to: 30).hasSuffix("end"))
    let accents = "a" + String(repeating: "\u{301}", count: 100_000)
    #expect(accents.shortened(to: 30).unicodeScalars.count < 80)
  }
}
