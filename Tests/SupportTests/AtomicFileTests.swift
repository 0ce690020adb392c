import Foundation
import Support
import TestSupport
import Testing

@Suite struct AtomicFileTests {
  private struct Interrupted: Error {}

  @Test func anErrorLeavesTheOldFileAndNothingElse() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a.txt"
      try AtomicFile.write(to: path) { file in try file.write("old") }
      #expect(throws: Interrupted.self) {
        try AtomicFile.write(to: path) { file in
          try file.write("new")
          throw Interrupted()
        }
      }
      #expect(try String(contentsOfFile: path, encoding: .utf8) == "old")
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["a.txt"])
    }
  }

  @Test func namesTheFileThatCannotBeWritten() {
    #expect(throws: FileError(path: "/nowhere/a", action: "write", reason: "No such file or directory")) {
      try AtomicFile.write(to: "/nowhere/a") { _ in }
    }
  }

  /// A device would be replaced by a file.
  @Test(arguments: ["/dev/null", "/tmp"]) func onlyReplacesFiles(path: String) {
    #expect(throws: FileError(path: path, action: "write", reason: "not a regular file")) {
      try AtomicFile.write(to: path) { try $0.write("x") }
    }
  }
}
