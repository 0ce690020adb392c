import Foundation
import TestSupport
import Testing

/// What is written where, by every command: never over what is read, and nothing of others' is removed.
@Suite struct OutputPolicyTests {
  @Test func outputsAreTriedFirstAndAreNoInputs() throws {
    try Workplace.with { place in
      let captions = try place.dataset()
      let evaluate = ["evaluate", "--captions", captions, "--images", "photos", "--model", place.model]
      let good = try place.start(evaluate + ["--results", "results.json"]).outcome()
      #expect(good.status == 0)
      symlink(captions, place.folder + "/link.json")
      link(place.model, place.folder + "/hard.safetensors")
      let before = try FileManager.default.subpathsOfDirectory(atPath: place.folder).sorted()
      let metrics = ["metrics", "--references", captions, "--results", "results.json"]
      let train = [
        "train", "--captions", captions, "--images", "photos", "--validation-captions", captions, "--encoder",
      ]
      try place.makeFolder("run")
      try FileManager.default.moveItem(
        atPath: place.folder + "/hard.safetensors", toPath: place.folder + "/run/model.safetensors")
      for arguments in [
        evaluate + ["--results", "link.json"], evaluate + ["--results", place.model],
        evaluate + ["--results", "photos/1.jpg"], evaluate + ["--calibrate", "run/model.safetensors"],
        evaluate + ["--features", place.model], evaluate + ["--results", "x", "--report", "./x"],
        evaluate + ["--results", "nowhere/x"], evaluate + ["--results", "x", "--report", "photos"],
        metrics + ["--per-image", "results.json"], metrics + ["--per-image", "link.json"],
        ["average", place.model, "--output", "run/model.safetensors"],
        ["features", "photos", "--encoder", place.model, "--output", "photos/1.jpg"],
        ["features", "photos", "--encoder", place.model, "--output", place.model],
        train + ["run/model.safetensors", "--output", "run"],
      ] {
        let photo = try Data(contentsOf: URL(fileURLWithPath: place.folder + "/photos/1.jpg"))
        let outcome = try place.start(arguments).outcome()
        #expect(
          outcome.status == 1 && outcome.complaints.last?.hasPrefix("captioner: ") == true,
          "\(arguments): \(outcome.errors)")
        #expect(
          outcome.output == "" && outcome.errors.contains("can't write"), "\(arguments): \(outcome.errors)")
        #expect(try Data(contentsOf: URL(fileURLWithPath: place.folder + "/photos/1.jpg")) == photo)
      }
      let after = try FileManager.default.subpathsOfDirectory(atPath: place.folder).sorted()
      #expect(
        Set(after).subtracting(before) == ["run", "run/model.safetensors"],
        "\(Set(after).symmetricDifference(before))")
    }
  }

  /// More photos than the page itself takes: their thumbnails must not be written over them.
  @Test func thumbnailsReplaceNoPhotos() throws {
    try Workplace.with { place in
      let captions = try place.dataset()
      symlink("photos", place.folder + "/report-images")
      let outcome = try place.run(
        "evaluate", "--captions", captions, "--images", "photos", "--model", place.model, "--report",
        "report.html")
      #expect(
        outcome.status == 1 && outcome.errors.contains("images are read from photos"), "\(outcome.errors)")
    }
  }

  /// A reader that has gone costs no file; what is left of a folder's other files stays.
  @Test func filesOfOthersSurvive() throws {
    try TrainingPlace.with { test in
      let theirs = ["run/notes.partial-draft", "run/model.safetensors.partial-77"]
      for name in theirs { try test.place.file(name, "mine") }
      #expect(try test.run(test.arguments("run", "--epochs", "1")).status == 0)
      #expect(try test.run(["train", "--resume", "--output", "run", "--epochs", "2"]).status == 0)
      for name in theirs {
        #expect(try String(contentsOfFile: test.place.folder + "/" + name, encoding: .utf8) == "mine")
      }
      let piped = try CaptionerProcess(
        [
          "evaluate", "--captions", test.captions, "--images", "photos", "--model", test.place.model,
          "--results",
          "r.json",
        ], in: test.place.folder, shell: "\"$@\" | true"
      ).outcome()
      #expect(piped.status == 0 && FileManager.default.fileExists(atPath: test.place.folder + "/r.json"))
    }
  }

  @Test func helpThatCannotBePrintedIsAnError() throws {
    try Workplace.with { place in
      for arguments in [["--help"], ["caption", "--help"], ["--version"]] {
        let outcome = try place.start(arguments, output: "/dev/full").outcome()
        #expect(outcome.status == 1 && outcome.complaints.count == 1, "\(arguments)")
      }
    }
  }
}
