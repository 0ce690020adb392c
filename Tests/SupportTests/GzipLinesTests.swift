import Foundation
import Support
import TestSupport
import Testing

@Suite struct GzipLinesTests {
  /// Python's `gzip`: `one\ntwo two\n\nthree`, and ` and\nfour\n`.
  private let first = Data(base64Encoded: "H4sIAAAAAAACA8vPS+UqKc9XAGIurpKMotRUAG9xwG8SAAAA")!
  private let second = Data(base64Encoded: "H4sIAAAAAAACA1NIzEvhSssvLeICADE6HSYKAAAA")!

  private func lines(_ bytes: Data, longest: Int = 100) throws -> [String] {
    try withTemporaryFolder { folder in
      let path = folder + "/a.gz"
      try bytes.write(to: URL(fileURLWithPath: path))
      let lines = try GzipLines(path: path, longest: longest)
      var found: [String] = []
      while let line = try lines.next() {
        found.append(String(decoding: line, as: UTF8.self))
        #expect(lines.number == found.count)
      }
      #expect(try lines.next() == nil)
      return found
    }
  }

  @Test func linesAreReadOneByOne() throws {
    #expect(try lines(first) == ["one", "two two", "", "three"])
    #expect(try lines(second) == [" and", "four"])
    // Files after each other are one.
    #expect(try lines(first + second) == ["one", "two two", "", "three and", "four"])
  }

  @Test func damageIsTold() throws {
    #expect { try lines(Data("no gzip file".utf8)) } throws: { "\($0)".contains("incorrect header check") }
    #expect { try lines(first.dropLast()) } throws: {
      "\($0)".contains("cut short after \(first.count - 1) bytes")
    }
    #expect { try lines(Data()) } throws: { "\($0)".contains("cut short after 0 bytes") }
    var changed = first
    changed[changed.count - 8] ^= 1
    #expect { try lines(changed) } throws: { "\($0)".contains("incorrect data check") }
  }

  /// A megabyte of the letter a, as Python's gzip packs it, is a thousand bytes here.
  @Test func longLinesAreRefused() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a.txt"
      try Data(repeating: 0x61, count: 3 << 20).write(to: URL(fileURLWithPath: path))
      let process = Process()
      process.executableURL = URL(fileURLWithPath: "/bin/gzip")
      process.arguments = [path]
      try process.run()
      process.waitUntilExit()
      let lines = try GzipLines(path: path + ".gz", longest: 1000)
      #expect { try lines.next() } throws: { "\($0)".hasSuffix("line 1 has more than 1000 bytes") }
      let all = try GzipLines(path: path + ".gz", longest: 3 << 20)
      #expect(try all.next()?.count == 3 << 20)
      #expect(try all.next() == nil)
    }
  }
}
