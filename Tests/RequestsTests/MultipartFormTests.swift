import TestSupport
import Testing

@testable import Requests

@Suite struct MultipartFormTests {
  private static func parts(_ text: String, _ type: String = "multipart/form-data; boundary=b") throws
    -> [MultipartForm.Part]
  {
    try MultipartForm(Array(text.utf8), contentType: type).parts
  }

  @Test func filesAndFields() throws {
    let body = multipartForm([
      (fileHeaders("a \\\"b\\\".jpg") + "\r\nContent-Type: image/jpeg", [1, 13, 10, 2]),
      (fieldHeaders("captions"), Array("3".utf8)),
      (fieldHeaders("empty"), []), (fieldHeaders("raw") + "\r\nCONTENT-TYPE: Image/PNG", [45, 45]),
    ])
    let parts = try MultipartForm(body, contentType: "multipart/form-data; boundary=\"b\"").parts
    #expect(parts.map(\.name) == ["image", "captions", "empty", "raw"])
    #expect(parts.map(\.fileName) == ["a \"b\".jpg", nil, nil, nil])
    #expect(parts.map(\.isFile) == [true, false, false, true])
    #expect(parts.map { Array($0.content) } == [[1, 13, 10, 2], [51], [], [45, 45]])
  }

  /// A preamble, blanks after the boundary, and what follows the end count for nothing.
  @Test func whatIsAround() throws {
    let part = "Content-Disposition: form-data; name=x\r\n\r\ny"
    #expect(try Self.parts("hello\r\n--b  \r\n\(part)\r\n--b--\r\nbye").map(\.name) == ["x"])
    #expect(try Self.parts("--b\r\n\(part)\r\n--b--").map { Array($0.content) } == [[121]])
    #expect(try Self.parts("--b--\r\n").isEmpty)
  }

  @Test(arguments: [
    ("", "boundary, found none"), ("--b", "line's end"), ("--b\r\n", "headers of at most"),
    ("nothing of it", "boundary, found none"),
    ("--b\r\nContent-Disposition: form-data; name=x\r\n\r\ncut", "boundary after it"),
    ("--b\nContent-Disposition: form-data; name=x\n\ny\n--b--", "line's end"),
    ("--b\r\nContent-Disposition: form-data\r\n\r\ny\r\n--b--", "with a name"),
    ("--b\r\nno header\r\n\r\ny\r\n--b--", "expected a header"),
    ("--b\r\n\r\ny\r\n--b--", "Content-Disposition"),
    ("--b\r\nContent-Disposition: form-data; name=\"a\rb\"\r\n\r\ny\r\n--b--", "a lone CR or LF"),
    ("--b\r\nContent-Disposition: form-data; name=x\nX: y\r\n\r\ny\r\n--b--", "a lone CR or LF"),
    ("--b\r\nContent-Disposition: form-data; name=\"a\r\\\nb\"\r\n\r\ny\r\n--b--", "a lone CR or LF"),
  ])
  func brokenOnesAreRefused(_ body: String, _ reason: String) {
    #expect { try Self.parts(body) } throws: { ($0 as? Problem)?.detail.contains(reason) == true }
  }

  @Test func boundsAreKept() {
    let long = "--b\r\nX: \(String(repeating: "y", count: 9000))\r\n\r\nz\r\n--b--"
    #expect(throws: Problem.self) { try Self.parts(long) }
    let many = multipartForm([(String, [UInt8])](repeating: (fieldHeaders("x"), []), count: 1025))
    #expect(throws: Problem.self) { try MultipartForm(many, contentType: "multipart/form-data; boundary=b") }
    for type in [
      "multipart/form-data", "multipart/form-data; boundary=",
      "multipart/form-data; boundary=\(String(repeating: "x", count: 71))",
    ] {
      #expect(throws: Problem.self) { try Self.parts("--b--", type) }
    }
  }

  /// Carriage returns without end cost a look each.
  @Test func searchIsLinear() {
    let bytes = [UInt8](repeating: 13, count: 4 << 20)
    #expect(bytes.place(of: Array("\r\n--boundary".utf8), from: 0) == nil)
    #expect(([1, 13] + Array("\r\n--b".utf8)).place(of: Array("\r\n--b".utf8), from: 0) == 2)
    #expect([13, 10].place(of: [13, 10], from: 0, within: 1) == nil)
  }
}
