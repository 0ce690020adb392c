import Foundation
import TestSupport
import Testing

/// A run survives what happens to its terminal, or saves and stops.
@Suite struct SignalTests {
  /// A reader of messages that has gone ends nothing.
  @Test func aClosedPipeForMessagesEndsNothing() throws {
    try TrainingPlace.with { test in
      let outcome = try CaptionerProcess(
        test.arguments("run", "--epochs", "3"), in: test.place.folder,
        shell:
          "{ \"$@\" 2>&1 >/dev/null; echo $? >status; } | true; while [ ! -s status ]; do sleep 0.05; done; cat status"
      ).outcome()
      #expect(outcome.output == "0\n")
      #expect(try test.result("run")[1].split(separator: "\n").count >= 3)
    }
  }

  /// SIGHUP saves and stops as Ctrl-C does; `nohup` and shells in the background have it ignored.
  @Test(arguments: [("HUP", false), ("HUP", true), ("INT", true), ("TERM", false)])
  func signalsStopUnlessIgnored(name: String, ignored: Bool) throws {
    try TrainingPlace.with { test in
      let process = try CaptionerProcess(
        test.arguments("run", "--epochs", ignored ? "30" : "3000", "--stop-patience", "5000"),
        in: test.place.folder,
        shell: ignored ? "trap '' \(name); exec \"$@\"" : "exec \"$@\"")
      try test.wait(for: 2, in: "run", process)
      kill(process.identifier, ["HUP": SIGHUP, "INT": SIGINT, "TERM": SIGTERM][name] ?? 0)
      let outcome = process.outcome()
      if ignored {
        #expect(outcome.status == 0, "\(outcome.errors)")
      } else {
        #expect(outcome.status == 1 && outcome.errors.contains("--resume"), "\(outcome.errors)")
      }
    }
  }

  /// A model that is cut short while it is in use: one line, no trace.
  @Test func aModelThatIsCutShortIsOneLine() throws {
    try Workplace.with { place in
      let photo = try place.photo("decode/png-rgb.png", as: "photo.png")
      mkfifo(place.folder + "/pipe", 0o600)
      // The photo comes after the model is mapped, from a pipe that is held back.
      let process = try CaptionerProcess(
        ["caption", "-", "--model", place.model], in: place.folder,
        shell: "cat pipe | \"$@\"; exit $?")
      usleep(Sanitizer.isOn ? 15_000_000 : 1_500_000)
      truncate(place.model, 4096)
      let pipe = try #require(FileHandle(forWritingAtPath: place.folder + "/pipe"))
      try pipe.write(contentsOf: Data(contentsOf: URL(fileURLWithPath: photo)))
      try pipe.close()
      let outcome = process.outcome()
      #expect(
        outcome.status == 1 && outcome.output == "" && outcome.complaints.count == 1, "\(outcome.errors)")
    }
  }

  /// Another model written over it: what was computed is not printed.
  @Test func aModelThatIsWrittenOverIsNoticed() throws {
    try Workplace.with { place in
      let photo = try place.photo("decode/png-rgb.png", as: "photo.png")
      mkfifo(place.folder + "/pipe", 0o600)
      try TinyNetwork.writeModel(to: place.folder + "/other", tensors: TinyNetwork.tensors(seed: 2))
      let process = try CaptionerProcess(
        ["caption", "-", "--model", place.model], in: place.folder,
        shell: "cat pipe | \"$@\"; exit $?")
      usleep(Sanitizer.isOn ? 15_000_000 : 1_500_000)
      let file = try #require(FileHandle(forWritingAtPath: place.model))
      try file.write(contentsOf: Data(contentsOf: URL(fileURLWithPath: place.folder + "/other")))
      try file.close()
      let pipe = try #require(FileHandle(forWritingAtPath: place.folder + "/pipe"))
      try pipe.write(contentsOf: Data(contentsOf: URL(fileURLWithPath: photo)))
      try pipe.close()
      let outcome = process.outcome()
      #expect(
        outcome.status == 1 && outcome.output == "" && outcome.errors.contains("wrote into it"),
        "\(outcome.errors)")
    }
  }
}
