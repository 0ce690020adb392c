import Foundation
import TestSupport
import Testing

/// A run that can't write any more ends with one line, has lost nothing, and goes on once there is room.
@Suite struct FullDiskTests {
  private func contents(_ output: String, in test: TrainingPlace) -> [Data?] {
    ["checkpoint", "model"].map {
      FileManager.default.contents(atPath: "\(test.place.folder)/\(output)/\($0).safetensors")
    }
  }

  /// Files may not grow beyond a limit, for want of a disk that any user may fill: the write fails in the same place.
  @Test(arguments: ["checkpoint", "model"]) func aFileThatDoesNotFitLosesNothing(name: String) throws {
    try TrainingPlace.with { test in
      #expect(try test.run(test.arguments("whole", "--epochs", "5")).status == 0)
      #expect(try test.run(test.arguments("run", "--epochs", "2")).status == 0)
      let before = contents("run", in: test)
      let file = "run/\(name).safetensors"
      // Shells count in blocks of 512 or 1,024 bytes.
      let size = try #require(FileManager.default.contents(atPath: test.place.folder + "/" + file)).count
      let outcome = try CaptionerProcess(
        ["train", "--resume", "--output", "run", "--epochs", "5"], in: test.place.folder,
        shell: "ulimit -f \((size - 1) / 1024); exec \"$@\""
      ).outcome()
      let text = outcome.errors
      #expect(outcome.status == 1)
      #expect(text.hasSuffix("captioner: \(file): can't write: File too large\n"), "\(text)")
      // Beside that at most a warning that the page could not be written.
      let complaints = text.split(separator: "\n").filter { $0.hasPrefix("captioner: ") }
      #expect(
        complaints.dropLast().allSatisfy {
          $0.contains("run/report.html") || $0.contains("are training images too")
        }, "\(text)")
      if name == "model" { #expect(contents("run", in: test) == before) }
      #expect(contents("run", in: test)[0] == before[0])
      #expect(try test.place.leftovers() == [])
      #expect(try test.run(["train", "--resume", "--output", "run"]).status == 0)
      #expect(try test.result("run") == test.result("whole"))
    }
  }

  /// A disk that fills up between two epochs, where mounting is allowed.
  @Test(.enabled(if: Workplace.mayMount)) func aDiskThatFillsUpLosesNothing() throws {
    try TrainingPlace.with { test in
      let disk = try test.place.makeFolder("disk")
      try #require(mount("tmpfs", disk, "tmpfs", 0, "size=1m") == 0)
      defer { umount2(disk, 2) }
      #expect(try test.run(test.arguments("whole", "--epochs", "5")).status == 0)
      #expect(try test.run(test.arguments("disk/run", "--epochs", "2")).status == 0)
      let before = contents("disk/run", in: test)
      let filler = disk + "/filler"
      let file = open(filler, O_WRONLY | O_CREAT, 0o600)
      let block = [UInt8](repeating: 0, count: 4096)
      while write(file, block, block.count) > 0 {}
      close(file)
      let full = try test.run(["train", "--resume", "--output", "disk/run", "--epochs", "5"])
      #expect(full.status == 1 && full.complaints.last?.hasPrefix("captioner: disk/run/") == true)
      #expect(
        full.complaints.last?.hasSuffix(": can't write: No space left on device") == true, "\(full.errors)")
      #expect(contents("disk/run", in: test) == before)
      #expect(try test.place.leftovers() == [])
      try FileManager.default.removeItem(atPath: filler)
      let resumed = try test.run(["train", "--resume", "--output", "disk/run", "--epochs", "5"])
      #expect(resumed.status == 0, "\(resumed.errors)")
      #expect(try test.result("disk/run") == test.result("whole"))
    }
  }
}
