import Foundation
import Support
import TestSupport
import Testing

@testable import Training

@Suite struct RunLogTests {
  private func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

  @Test func appendsLinesAndIsCutBack() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/log.jsonl"
      var log = try RunLog(path: path, length: 0)
      try log.append(["b": 1, "a": 2])
      let kept = log.length
      try log.append(["c": 3])
      #expect(try text(path) == "{\"a\":2,\"b\":1}\n{\"c\":3}\n")
      #expect(log.length == 22)
      log = try RunLog(path: path, length: kept)
      #expect(try text(path) == "{\"a\":2,\"b\":1}\n")
      try log.append(["d": 4])
      #expect(try text(path) == "{\"a\":2,\"b\":1}\n{\"d\":4}\n")
    }
  }

  @Test func aShorterLogOrNoFileIsRefused() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/log.jsonl"
      try "12345".write(toFile: path, atomically: true, encoding: .utf8)
      let short = FileError(path: path, action: "resume", reason: "expected at least 6 bytes, found 5")
      #expect(throws: short) { try RunLog(path: path, length: 6) }
      #expect(try text(path) == "12345")
      #expect(throws: FileError(path: folder, action: "write", reason: "Is a directory")) {
        try RunLog(path: folder, length: 0)
      }
    }
  }
}
