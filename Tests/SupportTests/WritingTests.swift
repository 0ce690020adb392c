import Foundation
import Support
import TestSupport
import Testing

@Suite struct WritingTests {
  /// A pipe takes no more than it has room for: the rest waits for its reader.
  @Test func writesAllThroughASmallPipe() throws {
    let pipe = Pipe()
    let text = String(repeating: "0123456789", count: 50_000)
    let writer = pipe.fileHandleForWriting
    #expect(
      startThread {
        try? writeAll(text, to: writer.fileDescriptor, path: "pipe")
        try? writer.close()
      })
    #expect(try pipe.fileHandleForReading.readToEnd() == Data(text.utf8))
  }

  /// One that does not wait is waited for.
  @Test func aPipeThatDoesNotWaitIsWaitedFor() throws {
    let pipe = Pipe()
    let text = String(repeating: "0123456789", count: 50_000)
    let writer = pipe.fileHandleForWriting
    _ = fcntl(writer.fileDescriptor, F_SETFL, O_NONBLOCK)
    #expect(
      startThread {
        try? writeAll(text, to: writer.fileDescriptor, path: "pipe")
        try? writer.close()
      })
    #expect(try pipe.fileHandleForReading.readToEnd() == Data(text.utf8))
  }

  /// In place of the process's end by SIGPIPE.
  @Test func aPipeWithoutReaderIsAnError() throws {
    let pipe = Pipe()
    try pipe.fileHandleForReading.close()
    #expect(throws: FileError(path: "pipe", action: "write", reason: "Broken pipe")) {
      try withoutBrokenPipes { try writeAll("x", to: pipe.fileHandleForWriting.fileDescriptor, path: "pipe") }
    }
  }

  @Test func writesInTheMiddleOfAFile() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a"
      try "abcdef".write(toFile: path, atomically: false, encoding: .utf8)
      let file = try #require(FileHandle(forUpdatingAtPath: path))
      try [UInt8]("XY".utf8).withUnsafeBytes { try writeAll($0, to: file.fileDescriptor, at: 2, path: path) }
      #expect(try String(contentsOfFile: path, encoding: .utf8) == "abXYef")
    }
  }

  @Test func saysWhatIsFull() throws {
    let full = try #require(FileHandle(forWritingAtPath: "/dev/full"))
    #expect(throws: FileError(path: "there", action: "write", reason: "No space left on device")) {
      try writeAll("x", to: full.fileDescriptor, path: "there")
    }
  }
}
