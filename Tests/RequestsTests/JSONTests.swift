import Testing

@testable import Requests

@Suite struct JSONTests {
  @Test func readsAndWrites() throws {
    let text = #"{"a":[1,-2.5,"x\"],",true,null],"b":{"c":"é"}}"#
    let json = try JSON(Array(text.utf8))
    #expect(json == ["a": [1, .number(-2.5), "x\"],", true, .null], "b": ["c": "é"]])
    #expect(try json.text == text)
    #expect(json["b"]?["c"]?.string == "é" && json["a"]?["c"] == nil && json["d"] == nil)
  }

  /// A whole number is one however it is written, so that what is read, written and read again is the same.
  @Test(arguments: [
    "1337203685477510014.015807", "1.0", "1e2", "-9.2233720368547758e18", "9223372036854775807",
  ])
  func wholeNumbersAreIntegers(_ text: String) throws {
    let json = try JSON(Array(text.utf8))
    #expect(json.integer != nil)
    #expect(try JSON(Array(json.text.utf8)) == json)
  }

  @Test(arguments: ["0.5", "1e300", "9223372036854775808", "-1e19", "1e-400"])
  func otherNumbersStayWhatTheyAre(_ text: String) throws {
    let json = try JSON(Array(text.utf8))
    #expect(try JSON(Array(json.text.utf8)) == json)
  }

  @Test(arguments: ["", "{", "nothing", "[1", "\"", "{\"a\":1}}", "\u{FEFF}", "[1 2]", "{\"a\"}", "\\"])
  func whatIsNoneIsRefused(_ text: String) {
    #expect(throws: Problem.self) { try JSON(Array(text.utf8)) }
  }

  /// Little that is sent would be much in memory.
  @Test func bombsAreRefused() throws {
    let deep = String(repeating: "[", count: 1 << 20)
    #expect(throws: Problem.bad("the body: expected JSON of at most 32 levels, found more")) {
      try JSON(Array(deep.utf8))
    }
    let wide = "[" + String(repeating: "0,", count: 1 << 20) + "0]"
    #expect(throws: Problem.bad("the body: expected JSON of at most 10000 values, found more")) {
      try JSON(Array(wide.utf8))
    }
    let long = "[\"" + String(repeating: "[,{\\\"", count: 1 << 16) + "\"]"
    #expect(throws: Never.self) { try JSON(Array(long.utf8)) }
    let nested = String(repeating: "[", count: 32) + String(repeating: "]", count: 32)
    #expect(throws: Never.self) { try JSON(Array(nested.utf8)) }
  }
}
