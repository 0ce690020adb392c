import Foundation
@testable import Support
import TestSupport
import Testing

/// Processes that end when nobody expects it, and what the next one finds.
@Suite struct KillTests {
  /// Commands that write files: their arguments and the files.
  private static let commands: [(arguments: [String], files: [String])] = [
    (["features", "photos", "--encoder", "model.safetensors", "--output", "v"], ["v"]),
    (
      [
        "evaluate", "--captions", "captions.json", "--images", "photos", "--model", "model.safetensors",
        "--results", "results.json", "--features", "v",
      ], ["results.json", "v"]
    ),
    (["average", "model.safetensors", "model.safetensors", "--output", "mean"], ["mean"]),
    (
      ["convert", "model.safetensors", ".", "--to", "onnx"],
      ["encoder.onnx", "decoder.onnx", "vocabulary.json"]
    ),
    (
      [
        "doctor", "--captions", "captions.json", "--images", "photos", "--min-count", "1", "--skip-list",
        "skip",
      ],
      ["skip"]
    ),
  ]

  private func contents(_ files: [String], in place: Workplace) -> [Data?] {
    files.map { FileManager.default.contents(atPath: place.folder + "/" + $0) }
  }

  @Test(arguments: commands.indices) func everyCommandSurvivesItsKill(number: Int) throws {
    let (arguments, files) = Self.commands[number]
    try Workplace.with { place in
      _ = try place.dataset()
      let start = ContinuousClock.now
      let status = try place.start(arguments).outcome().status
      let seconds = (ContinuousClock.now - start) / .seconds(1)
      let whole = contents(files, in: place)
      #expect(!whole.contains(nil))
      for attempt in 0..<12 {
        for file in files { try? FileManager.default.removeItem(atPath: place.folder + "/" + file) }
        let process = try place.start(arguments)
        usleep(UInt32(Double.random(in: 0...1) * seconds * 1e6))
        kill(process.identifier, SIGKILL)
        _ = process.outcome()
        for (file, (found, right)) in zip(files, zip(contents(files, in: place), whole)) where file != "v" {
          #expect(found == nil || found == right, "\(file), attempt \(attempt)")
        }
        #expect(try place.start(arguments).outcome().status == status)
        #expect(contents(files, in: place) == whole, "attempt \(attempt)")
        #expect(try place.leftovers() == [])
      }
    }
  }

  /// What a killed process left beside its output goes with the next run of the command; what is another's stays.
  @Test(arguments: commands.indices) func leftoversAreRemoved(number: Int) throws {
    let (arguments, files) = Self.commands[number]
    try Workplace.with { place in
      _ = try place.dataset()
      for file in files {
        let name = TemporaryName.random(for: place.folder + "/" + file)
        try Data("half".utf8).write(to: URL(fileURLWithPath: name))
      }
      try place.file(".others.partial-0123", "mine")
      _ = try place.start(arguments).outcome()
      #expect(try place.leftovers() == [".others.partial-0123"])
    }
  }

  /// In an address space where the program can begin, but not work.
  @Test func tooLittleMemoryIsALine() throws {
    try Workplace.with { place in
      let photo = try place.photo("decode/jpeg-444.jpg", as: "photo.jpg")
      var told = 0
      for threads in [2, 8, 64] {
        // From what the loader needs for the libraries, which has a line and a status of its own, to what is enough.
        for megabytes in stride(from: 130, through: 400, by: 10) {
          let outcome = try CaptionerProcess(
            ["caption", photo, "--model", place.model, "--threads", "\(threads)"], in: place.folder,
            shell: "ulimit -v \(megabytes)000; exec \"$@\""
          ).outcome()
          if outcome.status == 127 { continue }
          if outcome.status == 0 { break }
          #expect(outcome.status == 1, "\(megabytes) MB: \(outcome.errors)")
          #expect(!outcome.errors.contains("Backtrac"), "\(outcome.errors)")
          told += 1
        }
      }
      #expect(told > 0)
    }
  }

  /// The arguments come from there; without them a command must not be taken for a call for help.
  @Test(.enabled(if: Workplace.mayMount && !Sanitizer.isOn)) func withoutProcALineSaysSo() throws {
    try Workplace.with { place in
      let outcome = try CaptionerProcess(
        ["inspect", place.model], in: place.folder,
        shell: "exec unshare -m sh -c 'mount -t tmpfs none /proc && exec \"$@\"' sh \"$@\""
      ).outcome()
      #expect(outcome.status == 1 && outcome.output == "")
      #expect(outcome.complaints == ["captioner: can't read the arguments: expected /proc to be mounted"])
    }
  }

  @Test func aReaderThatHasGoneCostsNoFile() throws {
    try Workplace.with { place in
      _ = try place.dataset()
      for (arguments, files) in Self.commands where !arguments.contains("features") {
        _ = try CaptionerProcess(
          arguments, in: place.folder,
          shell: "mkfifo pipe; (: <pipe) & \"$@\" >pipe; wait; rm pipe"
        ).outcome()
        #expect(!contents(files, in: place).contains(nil), "\(arguments)")
      }
    }
  }

  /// The same where what is printed comes before a file, or between many.
  @Test func aReaderThatGoesAmidManyFilesCostsNone() throws {
    try Workplace.with { place in
      _ = try place.dataset()
      let photos = (1...8).map { "photos/\($0)" }
      for page in ["a.html", "b.html"] {
        try place.file(page, String(repeating: #"<img src="photos/1.jpg">"#, count: 3000))
      }
      for arguments in [
        ["caption", "photos", "--write", "txt"], ["caption", "photos", "--explain", "page.html"],
        ["alt", "a.html", "b.html", "--in-place"],
      ] {
        let outcome = try CaptionerProcess(
          arguments + ["--model", place.model], in: place.folder,
          shell: "mkfifo pipe; (: <pipe) & \"$@\" >pipe; status=$?; wait; rm pipe; exit $status"
        ).outcome()
        #expect(outcome.status == 0, "\(arguments): \(outcome.errors)")
      }
      #expect(!contents(photos.map { $0 + ".txt" } + ["page.html"], in: place).contains(nil))
      for page in contents(["a.html", "b.html"], in: place) {
        #expect(String(decoding: page ?? Data(), as: UTF8.self).hasPrefix("<img alt="))
      }
    }
  }
}
