import Foundation
import Support
import TestSupport
import Testing

@Suite struct MappedFileTests {
  @Test func writingIntoItIsNoticed() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a"
      try Data("one".utf8).write(to: URL(fileURLWithPath: path))
      let file = try MappedFile(path: path)
      try file.checkUnchanged()
      // Another file under its name leaves the mapping as it was.
      try AtomicFile.write(to: path) { try $0.write("two") }
      try file.checkUnchanged()
      #expect(file.bytes.elementsEqual("one".utf8))
      let other = try MappedFile(path: path)
      usleep(20_000)
      let handle = try #require(FileHandle(forWritingAtPath: path))
      try handle.write(contentsOf: Data("six".utf8))
      try handle.close()
      #expect(throws: FileError.self) { try other.checkUnchanged() }
    }
  }

  @Test func contentsOutliveTheFileAndDevicesAreRefused() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a"
      try Data(repeating: 7, count: 200_000).write(to: URL(fileURLWithPath: path))
      let contents = try FileContents(path: path)
      truncate(path, 0)
      #expect(contents.bytes.count == 200_000 && contents.bytes.allSatisfy { $0 == 7 })
      #expect(try FileContents(path: path).bytes.isEmpty)
      for (path, limit) in [("/dev/zero", 1 << 20), (folder, 1 << 20), ("/proc/self/maps", 10)] {
        #expect(throws: FileError.self) { try FileContents(path: path, limit: limit) }
      }
    }
  }
}
