import Foundation
import Tensors
import TestSupport
import Testing

@Suite struct TrainCommandTests {
  /// Arithmetic that the CPU has not is refused before anything is read.
  @Test func refusesArithmeticThatTheCPULacks() throws {
    try TrainingPlace.with { test in
      let arguments = test.arguments("run", "--arithmetic", "bfloat16")
      let outcome = try test.place.start(arguments, environment: ["CAPTIONER_ISA": "baseline"]).outcome()
      #expect(outcome.status != 0)
      #expect(outcome.complaints.count == 1)
      #expect(outcome.errors.contains("arithmetic: expected float32, this CPU can't multiply bfloat16"))
    }
  }

  @Test func trainsACaptioner() throws {
    try TrainingPlace.with { test in
      let outcome = try test.run(test.arguments("run", "--views", "1"))
      #expect(outcome.status == 0 && outcome.output == "", "\(outcome.errors)")
      #expect(outcome.complaints.last?.hasPrefix("run/model.safetensors: validation perplexity ") == true)
      #expect(
        try test.files("run") == [
          "checkpoint.safetensors", "config.json", "features.safetensors", "log.jsonl", "model.safetensors",
          "report.html",
        ])
      // The model captions, scores and evaluates.
      let scores = try test.place.run(
        "evaluate", "--captions", test.captions, "--images", "photos", "--model", "run/model.safetensors",
        "--format",
        "json")
      let perplexity = try #require(try scores.objects()[0]["perplexity"] as? Double)
      #expect(
        perplexity < 3 && outcome.complaints.last?.hasSuffix(String(format: " %.2f", perplexity)) == true)
      // Nothing more to do; and nothing is overwritten.
      let again = try test.run(["train", "--resume", "--output", "run"])
      #expect(again.status == 0)
      let over = try test.run(test.arguments("run"))
      #expect(
        over.status == 1 && over.complaints.count == 1 && over.errors.contains("continue it with --resume"))
    }
  }

  /// Where a run can't be written is told before anything is read for it.
  @Test func theDestinationIsTriedFirst() throws {
    try TrainingPlace.with { test in
      try test.place.file("file", "x")
      let outcome = try test.run(
        test.arguments("file/run", "--captions", "none.json", "--images", "nowhere"))
      #expect(outcome.status == 1)
      #expect(outcome.complaints.last?.hasPrefix("captioner: file/run: can't make the folder: ") == true)
      #expect(try test.place.leftovers() == [])
      let before = try FileManager.default.contentsOfDirectory(atPath: test.place.folder)
      #expect(try test.run(test.arguments("new", "--captions", "none.json")).status == 1)
      #expect(try FileManager.default.contentsOfDirectory(atPath: test.place.folder) == before)
    }
  }

  /// The page tells of all sittings, with its pictures inside; training goes on where it can't be written.
  @Test func thePageFollowsTheRun() throws {
    try TrainingPlace.with { test in
      #expect(try test.run(test.arguments("run", "--epochs", "2")).status == 0)
      #expect(try test.page("run").contains("after 2 epochs of at most 2"))
      #expect(try test.run(["train", "--resume", "--output", "run", "--epochs", "3"]).status == 0)
      let page = try test.page("run")
      #expect(page.contains("after 3 epochs of at most 3") && page.contains(">Finished<"))
      #expect(page.matches(of: /<img src="data:image\/jpeg;base64,/).count == 8)
      #expect(page.contains(">hidden_size</th><td>16</td><td>512</td>"))
      try FileManager.default.createDirectory(
        atPath: test.place.folder + "/other/report.html", withIntermediateDirectories: true)
      let outcome = try test.run(test.arguments("other", "--epochs", "3"))
      #expect(
        outcome.status == 0 && outcome.complaints.count { $0.contains("training page") } == 1,
        "\(outcome.errors)")
      #expect(FileManager.default.fileExists(atPath: test.place.folder + "/other/model.safetensors"))
    }
  }

  @Test func threadsDoNotMatter() throws {
    try TrainingPlace.with { test in
      let results = try ["1", "2", "3"].map { threads in
        #expect(
          try test.run(test.arguments("run" + threads, "--epochs", "5", "--threads", threads)).status == 0)
        return try test.result("run" + threads)
      }
      #expect(results[0] == results[1] && results[0] == results[2])
    }
  }

  /// A handler on a thread that computes would overwrite memory: every thread but the one that waits for them has both
  /// signals blocked.
  @Test func noThreadIsInterrupted() throws {
    try TrainingPlace.with { test in
      let process = try test.place.start(test.arguments("run", "--threads", "3"))
      try test.wait(for: 1, in: "run", process)
      let tasks = "/proc/\(process.identifier)/task"
      var masks: [UInt64] = []
      for thread in try FileManager.default.contentsOfDirectory(atPath: tasks) {
        let status = try String(contentsOfFile: "\(tasks)/\(thread)/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("SigBlk:") })
        masks.append(try #require(UInt64(line.dropFirst(7).trimmingCharacters(in: .whitespaces), radix: 16)))
      }
      kill(process.identifier, SIGKILL)
      _ = process.outcome()
      let both: UInt64 = 1 << UInt64(SIGINT - 1) | 1 << UInt64(SIGTERM - 1)
      #expect(masks.count >= 4 && masks.count { $0 & both != both } <= 1, "\(masks)")
    }
  }

  /// Asked to stop (SIGTERM, SIGINT) and killed, at several moments, then resumed: the uninterrupted run's model and log.
  @Test func stoppedRunsEndAsOthers() throws {
    try TrainingPlace.with { test in
      #expect(try test.run(test.arguments("whole")).status == 0)
      let whole = try test.result("whole")
      var stops = 0
      for (number, lines) in [0, 1, 2, 9].enumerated() {
        for (name, signal) in [("stopped", SIGTERM), ("interrupted", SIGINT), ("killed", SIGKILL)] {
          let output = "\(name)\(number)"
          let process = try test.place.start(test.arguments(output))
          try test.wait(for: lines, in: output, process)
          kill(process.identifier, signal)
          let outcome = process.outcome()
          // On a busy machine a run may end before its signal comes.
          if outcome.status != 0 { stops += 1 }
          if signal == SIGKILL {
            #expect([-SIGKILL, 0].contains(outcome.status))
          } else if lines > 0 && outcome.status != 0 {
            #expect(outcome.status == 1, "\(outcome.errors)")
            #expect(outcome.complaints.last == "captioner: interrupted; continue with --resume (\(output))")
          }
          if signal != SIGKILL && lines > 0 && outcome.status != 0 {
            #expect(try test.page(output).contains(">Stopped<"))
          }
          // Killed before it had a folder, a run begins anew.
          let begun = FileManager.default.fileExists(atPath: "\(test.place.folder)/\(output)/config.json")
          let resumed = try test.run(
            begun ? ["train", "--resume", "--output", output] : test.arguments(output))
          #expect(resumed.status == 0, "\(output): \(resumed.errors)")
          #expect(try test.result(output) == whole, "\(output)")
          #expect(try test.page(output).contains(">Finished<"))
          #expect(try test.place.leftovers() == [])
        }
      }
      #expect(stops > 6)
    }
  }

  /// Killed again and again at moments that chance picks.
  @Test func aRunThatIsKilledOftenEndsAsOthers() throws {
    try TrainingPlace.with { test in
      #expect(try test.run(test.arguments("whole")).status == 0)
      var kills = 0
      var arguments = test.arguments("killed")
      for attempt in 0..<200 {
        let process = try test.place.start(arguments)
        // Ever longer sittings, so that it ends.
        usleep(UInt32.random(in: 0...UInt32(60_000 + 30_000 * attempt)))
        kill(process.identifier, SIGKILL)
        if process.outcome().status == 0 { break }
        kills += 1
        if FileManager.default.fileExists(atPath: test.place.folder + "/killed/config.json") {
          arguments = ["train", "--resume", "--output", "killed"]
        }
      }
      #expect(kills > 1)
      #expect(try test.result("killed") == test.result("whole"))
      #expect(try test.place.leftovers() == [])
    }
  }

  @Test func refusedOptionsLeaveTheRunAlone() throws {
    try TrainingPlace.with { test in
      let place = test.place
      #expect(try test.run(test.arguments("run", "--epochs", "2")).status == 0)
      let before = try (
        test.result("run"), test.files("run"),
        String(contentsOfFile: place.folder + "/run/config.json", encoding: .utf8)
      )
      let other = try test.run(["train", "--resume", "--output", "run", "--seed", "2"])
      #expect(
        other.status == 1
          && other.complaints.last?.contains("found others: seed: 1 then, 2 now; another run can begin")
            == true
      )
      #expect(try String(contentsOfFile: place.folder + "/run/config.json", encoding: .utf8) == before.2)
      #expect(try test.result("run") == before.0 && test.files("run") == before.1)
      // More epochs are no other run, and are remembered.
      #expect(try test.run(["train", "--resume", "--output", "run", "--epochs", "5"]).status == 0)
      #expect(try test.run(test.arguments("five", "--epochs", "5")).status == 0)
      #expect(try test.result("run") == test.result("five"))
      #expect(try test.run(["train", "--resume", "--output", "run"]).status == 0)
      #expect(try test.result("run") == test.result("five"))
    }
  }

  @Test func twoRunsDoNotShareAFolder() throws {
    try TrainingPlace.with { test in
      let first = try test.place.start(
        test.arguments("run", "--epochs", "100000", "--stop-patience", "100000"))
      try test.wait(for: 1, in: "run", first)
      let second = try test.run(test.arguments("run", "--seed", "3"))
      #expect(second.status == 1)
      #expect(second.errors.contains("run: ") && second.complaints.count <= 2)
      kill(first.identifier, SIGTERM)
      #expect(first.outcome().status == 1)
    }
  }

  @Test func whatCannotBegin() throws {
    try TrainingPlace.with { test in
      let place = test.place
      try place.file("unknown.json", #"{"epoch": 3}"#)
      try place.file("broken.json", "{")
      try place.file("file", "x")
      try place.makeFolder("bare")
      try place.file(
        "none.json",
        #"{"images": [{"id": 1, "file_name": "a"}], "annotations": [{"image_id": 1, "caption": "a"}]}"#)
      for (arguments, complaint) in [
        (["train", "--output", "run"], "--captions: expected a path, found none"),
        (["train", "--output", "run", "--resume"], "run: expected a checkpoint to resume, found none"),
        (
          ["train", "--output", "bare", "--resume", "--config", "unknown.json"],
          "unknown.json: expected options of a run: "
        ),
        (
          ["train", "--output", "run", "--config", "broken.json"], "broken.json: expected options of a run: "
        ),
        (["train", "--output", "run", "--config", "nowhere.json"], "nowhere.json: can't open: "),
        (test.arguments("bare", "--resume"), "bare: expected a checkpoint to resume, found none"),
        (test.arguments("run", "--epochs", "0"), "--epochs: expected 1 to 1048576, found 0"),
        (
          test.arguments("run", "--learning-rate", "nan"),
          "--learning-rate: expected more than 0 and less than 10, found nan"
        ),
        (
          test.arguments("run", "--hidden-size", "9223372036854775807"),
          "--hidden-size: expected 1 to 16384, found "
        ),
        (
          test.arguments("run", "--head", "none"),
          "--head: expected full, compact, compact2 or mean, found none"
        ),
        (test.arguments("run", "--images", "nowhere"), "nowhere: can't open: No such file or directory"),
        (test.arguments("run", "--images", "file"), "file: can't open: not a folder"),
        (test.arguments("run", "--encoder", "file"), "file: not a safetensors file: "),
        (test.arguments("run", "--encoder", "photos/1.jpg"), "photos/1.jpg: not a safetensors file: "),
        (test.arguments("file/run"), "file/run: can't make the folder: "),
        (test.arguments("file"), "file: can't "),
        (test.arguments(""), ": can't make the folder: "),
        (test.arguments("/dev/null"), "/dev/null: can't "),
        (
          test.arguments("nothing", "--captions", "none.json"),
          "none.json: expected images, found none that can be read"
        ),
      ] {
        let outcome = try test.run(arguments)
        // 64 where the command line itself is wrong.
        #expect(
          outcome.status == (complaint.hasPrefix("--") ? 64 : 1) && outcome.output == "", "\(arguments)")
        #expect(outcome.complaints.last?.hasPrefix("captioner: " + complaint) == true, "\(outcome.errors)")
      }
      #expect(!FileManager.default.fileExists(atPath: place.folder + "/run"))
      #expect(try place.leftovers() == [])
    }
  }

  @Test func aDamagedCheckpointIsRefused() throws {
    try TrainingPlace.with { test in
      #expect(try test.run(test.arguments("run", "--epochs", "1")).status == 0)
      let path = test.place.folder + "/run/checkpoint.safetensors"
      let whole = try Data(contentsOf: URL(fileURLWithPath: path))
      for bytes in [Data(), whole.dropLast(), try Data(contentsOf: URL(fileURLWithPath: test.place.model))] {
        try bytes.write(to: URL(fileURLWithPath: path))
        let outcome = try test.run(["train", "--resume", "--output", "run"])
        #expect(outcome.status == 1)
        #expect(outcome.complaints.last?.hasPrefix("captioner: run/checkpoint.safetensors: ") == true)
      }
    }
  }

  /// Validation tells METEOR too where its data is given: in the log, on the page, as what decides; data that is lost on the
  /// way costs its score only.
  @Test func meteorIsToldWhereItsDataIsGiven() throws {
    let data = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("CaptionMetricsTests/Fixtures/meteor").path
    try TrainingPlace.with { test in
      let folder = test.place.folder
      try FileManager.default.copyItem(atPath: data, toPath: folder + "/meteor")
      let options = ["--meteor", "meteor", "--validation-metric", "METEOR", "--views", "1", "--epochs", "2"]
      let outcome = try test.run(test.arguments("run", options))
      #expect(outcome.status == 0 && outcome.errors.contains("METEOR "), "\(outcome.errors)")
      let log = try String(contentsOfFile: folder + "/run/log.jsonl", encoding: .utf8)
      #expect(log.contains("\"METEOR\":0."))
      let page = try String(contentsOfFile: folder + "/run/report.html", encoding: .utf8)
      #expect(page.contains("METEOR × 100") && page.contains("<th scope=\"col\">METEOR"), "no METEOR")
      let none = try test.run(test.arguments("none", ["--meteor", "nowhere"]))
      #expect(none.status == 1 && none.errors.contains("nowhere: can't open"), "\(none.errors)")
      #expect(!FileManager.default.fileExists(atPath: folder + "/none/model.safetensors"))
    }
  }
}
