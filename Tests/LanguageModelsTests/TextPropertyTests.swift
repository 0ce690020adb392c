import Testing

@testable import LanguageModels

@Suite struct TextPropertyTests {
  /// The characters at which a property is 1, others as a dot; its values for one that counts.
  private static func marked(_ name: String, _ text: String) throws -> String {
    let property = try #require(
      TextProperty.all(of: Array(text.unicodeScalars)).first { $0.name == name }, "\(name)")
    return String(
      zip(text.unicodeScalars, property.values).map { scalar, value -> Character in
        property.isBinary ? (value == 1 ? Character(scalar) : ".") : Character("\(min(9, Int(value)))")
      })
  }

  @Test(arguments: [
    ("inside \"quotes\"", #"he said "no". so"#, "........\"no....."),
    ("inside \"quotes\"", "“no” «ja»", "“no..«ja."),
    // What a paragraph leaves open ends with it.
    ("inside \"quotes\"", "\"a\n\nb", "\"a\n.."),
    ("inside 'quotes'", "don't 'a'", "......'a."),
    ("inside `backticks`", "`a`b`c\nd", "`a..`c.."),
    ("inside (parentheses)", "a(b(c)d)e)(f", ".(b(c)d...(f"),
    ("inside <a tag>", "1<2 <b>c</b>", ".....b.../b."),
    ("in a comment after //", "a//b\nc/d", "../b...."),
    ("in a comment after //", "https://x y", "..........."),
    ("in a comment after //", "\"//\" //z", "....../z"),
    ("in a comment after #", "a #b\n#c\nd#e", "..#b.#c...."),
    ("in a comment /* … */", "a/*b*/c", "..*b*.."),
    ("in a web address", "http://x.y z", "....../x.y.."),
    ("inside a word", "ab c1", "ab.c."),
    ("in a word with a capital", "Ab cD", "Ab..."),
    ("in a number", "a12,3 4b", ".12,3.4."),
    ("position in the line", "ab\nc", "1201"),
    ("position in the word", "ab c", "1201"),
    ("position in the sentence", "a. bc", "10123"),
    ("position in the paragraph", "ab\n\nc\nd", "1230123"),
    ("indentation of the line", "  a b\n c", "12222011"),
    ("depth of brackets", "a([{b})]c]", "0123321000"),
    ("depth of {braces}", "{{}\n\n}}", "1211100"),
    ("after `if` in the line", "if a\nelif b\nif(c", ".. a..........(c"),
  ])
  func followsTheText(name: String, text: String, expected: String) throws {
    #expect(try Self.marked(name, text) == expected)
  }

  @Test func eachHasAValueForEachCharacter() {
    let text = Array("\u{0}\u{FEFF}((((\"\n".unicodeScalars)
    let properties = TextProperty.all(of: text)
    #expect(properties.allSatisfy { $0.values.count == text.count })
    #expect(properties.allSatisfy { $0.values.allSatisfy { $0 >= 0 && $0 <= 1000 } })
    #expect(Set(properties.map(\.name)).count == properties.count && properties.count > 25)
    #expect(TextProperty.all(of: []).allSatisfy { $0.values.isEmpty })
  }
}
