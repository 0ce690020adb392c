import Testing

@testable import Requests

@Suite struct FieldsTests {
  /// Of a query: what is split, plus signs, percents; signs with an accent are signs.
  @Test func queries() throws {
    var fields = Fields()
    try fields.add(query: "a=1+2&b=%C3%A9%26&&c&d=x=y&e=\u{301}z&\u{301}f=+\u{301}")
    #expect(
      fields.written.map { "\($0.name)=\($0.text)" }
        == ["a=1 2", "b=é&", "c=", "d=x=y", "e=\u{301}z", "\u{301}f= \u{301}"])
  }
}
