import Testing

@testable import Requests

@Suite struct HeaderValueTests {
  @Test func valuesAndParameters() {
    let value = HeaderValue("Form-Data ; Name=\"a;b\" ; x = y; x=z; broken; q=\"un\\\"quoted")
    #expect(value.value == "form-data")
    #expect(value.parameters == ["name": "a;b", "x": "y", "q": "un\"quoted"])
    // Signs with an accent are signs.
    #expect(HeaderValue("x; y=\u{301}a; z=\"b\"\u{488}").parameters == ["y": "\u{301}a", "z": "b\u{488}"])
    #expect(HeaderValue("").value == "" && HeaderValue(";;=;").parameters == ["": ""])
  }
}
