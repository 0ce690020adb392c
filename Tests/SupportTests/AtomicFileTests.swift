import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Support

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

  /// Bytes of names that are no UTF-8 reach the system as they are, with a name before the end or without.
  @Test func namesAreBytes() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/caf\u{10FFE9}"
      let bytes = Array((folder + "/caf").utf8CString.dropLast()) + [CChar(bitPattern: 0xE9), 0]
      #expect(try AtomicFile.create(path, amongMany: true) { try $0.write("new") })
      #expect(try !AtomicFile.create(path) { try $0.write("other") })
      #expect(access(bytes, R_OK) == 0)
      try AtomicFile.write(to: path) { try $0.write("replaced") }
      #expect(FileStamp(ofFileAt: path)?.size == 8)
      let left = TemporaryName.random(for: path)
      close(open(FileName.path(left), O_CREAT | O_WRONLY, 0o600))
      removeLeftovers(in: folder)
      #expect(access(FileName.path(left), F_OK) != 0)
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

  @Test func permissionsAndLinksOfTheDestinationStay() throws {
    try withTemporaryFolder { folder in
      let files = FileManager.default
      try files.createDirectory(atPath: folder + "/real", withIntermediateDirectories: false)
      try Data("old".utf8).write(to: URL(fileURLWithPath: folder + "/real/file"))
      chmod(folder + "/real/file", 0o604)
      try files.createSymbolicLink(atPath: folder + "/link", withDestinationPath: "real/file")
      try files.createSymbolicLink(atPath: folder + "/dangling", withDestinationPath: "real/new")
      for name in ["link", "dangling"] {
        try AtomicFile.write(to: folder + "/" + name) { try $0.write("new") }
      }
      #expect(try files.destinationOfSymbolicLink(atPath: folder + "/link") == "real/file")
      #expect(try files.destinationOfSymbolicLink(atPath: folder + "/dangling") == "real/new")
      for name in ["file", "new"] {
        #expect(try String(contentsOfFile: folder + "/real/" + name, encoding: .utf8) == "new")
      }
      let mode = try files.attributesOfItem(atPath: folder + "/real/file")[.posixPermissions] as? Int
      #expect(mode == 0o604)
      #expect(try files.contentsOfDirectory(atPath: folder + "/real").sorted() == ["file", "new"])
    }
  }

  /// Names that can be foretold could be links to what is not ours.
  @Test func nobodyCanPlantTheTemporaryName() throws {
    try withTemporaryFolder { folder in
      try Data("mine".utf8).write(to: URL(fileURLWithPath: folder + "/victim"))
      try FileManager.default.createSymbolicLink(
        atPath: "\(folder)/out.partial-\(getpid())", withDestinationPath: "victim")
      try AtomicFile.write(to: folder + "/out") { try $0.write("new") }
      #expect(try String(contentsOfFile: folder + "/victim", encoding: .utf8) == "mine")
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count == 3)
    }
  }

  @Test func whatIsThereMayStay() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a"
      let isMade = try AtomicFile.create(path) { try $0.write("first") }
      #expect(isMade)
      let isMadeAgain = try AtomicFile.create(path) { try $0.write("second") }
      #expect(!isMadeAgain)
      #expect(try String(contentsOfFile: path, encoding: .utf8) == "first")
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["a"])
    }
  }

  /// Left-overs are told by a name that nobody gives by chance.
  @Test func onlyOursIsCleanedUp() throws {
    try withTemporaryFolder { folder in
      let theirs = [
        "notes.partial-draft", ".a.partial-0123456789abcdef01234567", "model.safetensors.partial-1234",
        "x.partial-",
      ]
      let ours = TemporaryName.random(for: folder + "/a")
      for name in theirs { try Data().write(to: URL(fileURLWithPath: folder + "/" + name)) }
      try Data().write(to: URL(fileURLWithPath: ours))
      removeLeftovers(in: folder)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == theirs.sorted())
    }
  }

  /// Trying a destination clears away what was left beside it; what is being written stays, also in the moment before it
  /// takes its place.
  @Test func tryingCleansUpAndDisturbsNobody() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a"
      let leftover = TemporaryName.random(for: path)
      let another = TemporaryName.random(for: folder + "/b")
      for name in [leftover, another] { try Data().write(to: URL(fileURLWithPath: name)) }
      try AtomicFile.check(path)
      #expect(access(leftover, F_OK) != 0 && access(another, F_OK) == 0 && access(path, F_OK) != 0)
      let failures = Mutex(0)
      DispatchQueue.concurrentPerform(iterations: 2) { number in
        for _ in 0..<300 {
          do {
            if number == 0 {
              try AtomicFile.check(path)
            } else {
              try AtomicFile.write(to: path) { try $0.write("x") }
            }
          } catch { failures.withLock { $0 += 1 } }
        }
      }
      #expect(failures.withLock { $0 } == 0)
    }
  }
}
