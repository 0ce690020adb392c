import Testing

@testable import Reporting

@Suite struct PixelFontTests {
  private func pixels(_ character: Character) -> [Bool] {
    let glyph = PixelFont.glyph(of: character)
    return (0..<PixelFont.height).flatMap { row in (0..<PixelFont.width).map { glyph[row, $0] } }
  }

  @Test func lettersAreWhereTheyShouldBe() {
    // l: a column of ink in the middle, over the line; a hyphen: one row.
    let rows = (0..<PixelFont.height).filter { PixelFont.glyph(of: "-")[$0, 4] }
    #expect(rows.count == 1)
    #expect((0..<PixelFont.height).count { PixelFont.glyph(of: "l")[$0, 4] } > 7)
    #expect(pixels(" ").allSatisfy { !$0 })
    let known = "abcdefghijklmnopqrstuvwxyzABCÄÖßéčğжλ0123456789%.,;()-…".map(pixels)
    #expect(Set(known).count == known.count)
  }

  @Test func anAccentByItselfIsTheSameLetter() { #expect(pixels("e\u{301}") == pixels("é")) }

  @Test func whatTheFontLacksIsABox() {
    #expect(pixels("犬") == pixels("🐕") && pixels("犬").contains(true) && pixels("犬") != pixels("o"))
  }
}
