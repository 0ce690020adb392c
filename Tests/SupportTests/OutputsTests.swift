import Foundation
import Support
import TestSupport
import Testing

/// What a command may write, by what the files are, not by what they are called.
@Suite struct OutputsTests {
  private func refusal(_ body: () throws -> Void) -> String? {
    do {
      try body()
      return nil
    } catch { return "\(error)" }
  }

  @Test func anOutputIsNoInputAndNoOtherOutput() throws {
    try withTemporaryFolder { folder in
      let file = folder + "/in"
      try Data("x".utf8).write(to: URL(fileURLWithPath: file))
      try FileManager.default.createSymbolicLink(atPath: folder + "/link", withDestinationPath: "in")
      try FileManager.default.linkItem(atPath: file, toPath: folder + "/hard")
      try FileManager.default.createSymbolicLink(atPath: folder + "/same", withDestinationPath: ".")
      for other in ["/in", "/link", "/hard", "/./in", "/same/in"] {
        var outputs = Outputs(readingFrom: [file])
        #expect(refusal { try outputs.add(folder + other, "--output") }?.contains("read") == true, "\(other)")
      }
      for other in ["/new", "/./new", "/same/new"] {
        var outputs = Outputs()
        try outputs.add(folder + "/new", "--one")
        #expect(
          refusal { try outputs.add(folder + other, "--two") }?.contains("--one is the same file") == true,
          "\(other)")
      }
      // To `String` these are the same name twice, and a name without a slash before it.
      var normalised = Outputs()
      for name in ["/caf\u{E9}", "/cafe\u{301}", "/\u{301}"] { try normalised.add(folder + name, "--one") }
      var outputs = Outputs(readingFrom: [file])
      try outputs.add(folder + "/a", "--one")
      try outputs.add(folder + "/b", "--two")
      #expect(throws: FileError.self) { try outputs.add(folder + "/nowhere/c", "--three") }
      #expect(throws: FileError.self) { try outputs.add(folder, "--three") }
      #expect(throws: FileError.self) {
        try Outputs(readingFrom: [folder]).checkFolder(folder + "/same", "--x")
      }
      // Trying leaves nothing behind.
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == [
          "hard", "in", "link", "same",
        ])
    }
  }
}
