import Foundation
import TestSupport
import Testing

@Suite struct OutputFailureTests {
  @Test(arguments: ["text", "json", "csv"]) func aFullStandardOutputIsAnError(format: String) throws {
    try Workplace.with { place in
      let photo = try place.photo("decode/jpeg-444.jpg", as: "photo.jpg")
      let outcome = try place.run(
        "caption", photo, photo, "--model", place.model, "--format", format, output: "/dev/full")
      #expect(outcome.status == 1)
      #expect(outcome.complaints == ["captioner: standard output: can't write: No space left on device"])
    }
  }

  @Test func everyCommandNotices() throws {
    try Workplace.with { place in
      let captions = try place.dataset()
      for arguments in [
        ["score", "photos/1.jpg", "a dog", "--model", place.model], ["vocabulary", "--captions", captions],
        ["inspect", place.model],
        ["evaluate", "--captions", captions, "--images", "photos", "--model", place.model],
      ] {
        let outcome = try place.start(arguments, output: "/dev/full").outcome()
        #expect(
          outcome.status == 1 && outcome.errors.contains("standard output: can't write"), "\(arguments)")
      }
    }
  }

  /// Runs a command under a shell that redirects its streams.
  private func run(_ redirections: String, _ arguments: [String], in place: Workplace) throws -> (
    Int32, String
  ) {
    let outcome = try CaptionerProcess(
      arguments, in: place.folder, shell: "exec \"$@\" \(redirections)"
    ).outcome()
    return (outcome.status, outcome.output + outcome.errors)
  }

  /// Messages that can't be written are lost; the data are not.
  @Test(arguments: ["2>/dev/full", "2>&-"]) func aFullOrClosedStandardErrorIsNone(redirection: String) throws
  {
    try Workplace.with { place in
      let photo = try place.photo("decode/jpeg-444.jpg", as: "photo.jpg")
      let (status, text) = try run(
        redirection, ["caption", "nowhere.jpg", photo, "--model", place.model], in: place)
      #expect(status == 1 && text.hasPrefix(photo + ": "))
    }
  }

  /// No file that is opened takes the place of a closed stream, and gets its text.
  @Test func closedStreamsHarmNoFile() throws {
    try Workplace.with { place in
      let captions = try place.dataset()
      let train = [
        "train", "--captions", captions, "--images", "photos", "--validation-captions", captions, "--encoder",
        place.model, "--embedding-size", "4", "--hidden-size", "4", "--feature-size", "4", "--min-count", "1",
        "--epochs",
        "2", "--output",
      ]
      #expect(try run("", train + ["open"], in: place).0 == 0)
      #expect(try run("<&- >&- 2>&-", train + ["closed"], in: place).0 == 0)
      let folders = ["open", "closed"].map { "\(place.folder)/\($0)" }
      let names = try FileManager.default.contentsOfDirectory(atPath: folders[0])
      #expect(names.count == 7)
      for name in names where name.hasSuffix(".safetensors") && name != "checkpoint.safetensors" {
        let files = folders.map { FileManager.default.contents(atPath: "\($0)/\(name)") }
        #expect(files[0] == files[1] && files[0] != nil, "\(name)")
      }
      let (status, text) = try run(">&-", ["inspect", place.model], in: place)
      #expect(status == 1 && text == "captioner: standard output: can't write: Bad file descriptor\n")
    }
  }

  /// A disk that is too small, where mounting is allowed: nothing is left half-written, and with room the run goes on.
  @Test(.enabled(if: Workplace.mayMount)) func aFullDiskLeavesNothingHalfDone() throws {
    try Workplace.with { place in
      let captions = try place.dataset()
      let disk = try place.makeFolder("disk")
      try #require(mount("tmpfs", disk, "tmpfs", 0, "size=256k") == 0)
      defer { umount2(disk, 2) }
      let train = [
        "train", "--captions", captions, "--images", "photos", "--validation-captions", captions, "--encoder",
        place.model, "--output", "disk/run", "--embedding-size", "64", "--hidden-size", "64",
        "--feature-size", "64",
        "--min-count", "1", "--epochs", "1",
      ]
      let full = try place.start(train).outcome()
      #expect(
        full.status == 1 && full.complaints.last?.hasSuffix("No space left on device") == true,
        "\(full.errors)")
      #expect(try place.leftovers() == [])
      _ = try? place.file("disk/filler", Data(count: 256 << 10))
      let features = try place.run(
        "features", "photos", "--encoder", place.model, "--tap", "map7x7", "--output", "disk/f")
      #expect(features.status == 1)
      #expect(features.complaints == ["captioner: disk/f: can't write: No space left on device"])
      #expect(!FileManager.default.fileExists(atPath: disk + "/f"))
      try #require(mount("tmpfs", disk, "tmpfs", UInt(MS_REMOUNT), "size=8m") == 0)
      let resumed = try place.run("train", "--resume", "--output", "disk/run")
      #expect(resumed.status == 0, "\(resumed.errors)")
      #expect(try place.leftovers() == [])
    }
  }
}
