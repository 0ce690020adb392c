import Foundation
import Tensors
import TestSupport
import Testing

@Suite struct DoctorCommandTests {
  @Test func goodDataAndModelsAreWell() throws {
    try TrainingPlace.with { test in
      let data = try test.run(
        ["doctor", "--captions", test.captions, "--images", "photos", "--min-count", "1"])
      #expect(data.status == 0, "\(data.output)")
      #expect(data.lines.first?.hasPrefix("training: 8 images, 16 captions of ") == true)
      #expect(data.lines.last == "nothing is wrong")
      #expect(try test.run(test.arguments("run", "--epochs", "1", "--views", "1")).status == 0)
      let features = try FileManager.default.contentsOfDirectory(atPath: test.place.folder + "/run")
        .filter { $0.hasPrefix("features-") }.map { "run/" + $0 }
      for path in [test.place.model, "run", "run/checkpoint.safetensors"] + features {
        let outcome = try test.run(["doctor", path, "--format", "json"])
        #expect(outcome.status == 0 && outcome.output == "", "\(path): \(outcome.output)")
      }
    }
  }

  /// Language models, their checkpoints and runs are well too, until somebody damages them.
  @Test func languageModels() throws {
    try Workplace.with { place in
      try place.file("text.txt", String(repeating: "abcab cabcab\n", count: 40))
      let train = try place.run(
        "language-model", "train", "text.txt", "--output", "run", "--hidden-size", "8", "--epochs", "1",
        "--batch-size", "2", "--sequence-length", "8", workingFolder: place.folder)
      #expect(train.status == 0, "\(train.errors)")
      for path in ["run", "run/model.safetensors", "run/checkpoint.safetensors"] {
        let outcome = try place.run("doctor", path, workingFolder: place.folder)
        #expect(outcome.status == 0 && outcome.output.contains("language model"), "\(outcome.output)")
      }
      try FileManager.default.removeItem(atPath: place.folder + "/text.txt")
      let missing = try place.run("doctor", "run", "--format", "json", workingFolder: place.folder)
      #expect(missing.status == 0 && missing.output.contains("run_input"), "\(missing.output)")
      try place.file("run/config.json", "{}")
      try place.file("run/log.jsonl", "")
      let damaged = try place.run("doctor", "run", "--format", "json", workingFolder: place.folder)
      #expect(damaged.status == 1)
      #expect(try damaged.objects().map { $0["kind"] as? String } == ["run_file", "run_file"])
      let model = URL(fileURLWithPath: place.folder + "/run/model.safetensors")
      var bytes = try Data(contentsOf: model)
      let (cell, other) = (Data("\\\"cell\\\":\\\"lstm\\\"".utf8), Data("\\\"cell\\\":\\\"mstl\\\"".utf8))
      bytes.replaceSubrange(try #require(bytes.range(of: cell)), with: other)
      try bytes.write(to: model)
      let broken = try place.run("doctor", "run/model.safetensors", workingFolder: place.folder)
      #expect(broken.status == 1 && broken.output.contains("expected a cell among"), "\(broken.output)")
    }
  }

  /// What is found makes the status 1, and the list that is written makes the data good.
  @Test func theSkipListIsTaken() throws {
    try TrainingPlace.with { test in
      try FileManager.default.removeItem(atPath: test.place.folder + "/photos/3.jpg")
      try test.place.file("photos/4.jpg", "no photo")
      try? FileManager.default.removeItem(atPath: test.place.folder + "/photos/5.jpg")
      try FileManager.default.copyItem(
        atPath: test.place.folder + "/photos/6.jpg", toPath: test.place.folder + "/photos/5.jpg")
      let doctor = [
        "doctor", "--captions", test.captions, "--images", "photos", "--min-count", "1", "--format", "json",
      ]
      let found = try test.run(doctor + ["--skip-list", "skip.txt"])
      #expect(found.status == 1)
      let objects = try found.objects()
      #expect(
        objects.map { $0["kind"] as? String } == ["missing_image", "damaged_image", "repeated_image"])
      for object in objects {
        for key in ["place", "problem", "remedy", "image", "severity"] {
          #expect((object[key] as? String)?.isEmpty == false, "\(key)")
        }
      }
      let list = try String(contentsOfFile: test.place.folder + "/skip.txt", encoding: .utf8)
      #expect(list == "3.jpg\n4.jpg\n6.jpg\n")
      #expect(try test.run(doctor + ["--skip", "skip.txt"]).status == 0)
      let trained = try test.run(test.arguments("run", "--epochs", "1", "--skip", "skip.txt"))
      #expect(trained.status == 0, "\(trained.errors)")
      #expect(trained.complaints.contains("3 images left out, as --skip says"))
      #expect(trained.complaints.contains { $0.hasPrefix("5 images, 10 captions; ") })
      #expect(try test.run(["train", "--resume", "--output", "run", "--epochs", "2"]).status == 0)
      let evaluated = try test.run([
        "evaluate", "--captions", test.captions, "--images", "photos", "--model", test.place.model, "--skip",
        "skip.txt", "--format", "json",
      ])
      #expect(evaluated.status == 0, "\(evaluated.errors)")
      #expect(try evaluated.objects()[0]["images"] as? Int == 5)
      let features = ["features", "photos", "--encoder", test.place.model, "--output", "v"]
      #expect(try test.run(features).status == 1)
      let skipped = try test.run([
        "features", "photos", "--encoder", test.place.model, "--output", "w", "--skip", "skip.txt",
      ])
      #expect(skipped.status == 0 && skipped.errors.contains("those of no image, the first 3.jpg"))
      // A list of something else is noticed.
      try test.place.file("other.txt", "nobody.jpg\n")
      let idle = try test.run(test.arguments("other", "--epochs", "1", "--skip", "other.txt"))
      #expect(idle.errors.contains("1 names to be left out are those of no image, the first nobody.jpg"))
      let none = try test.run(test.arguments("none", "--skip", "nowhere.txt"))
      #expect(
        none.status == 1
          && none.complaints.last == "captioner: nowhere.txt: can't open: No such file or directory")
    }
  }

  @Test func damagedFilesAreNamed() throws {
    try TrainingPlace.with { test in
      let place = test.place
      var tensors = TinyNetwork.tensors()
      tensors["decoder.lstm.bias"] = Tensor(repeating: .nan, [32])
      try TinyNetwork.writeModel(to: place.folder + "/nan", tensors: tensors)
      try place.file("lfs", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 73000000\n")
      #expect(try test.run(test.arguments("run", "--epochs", "1", "--views", "1")).status == 0)
      try Data("{}".utf8).write(to: URL(fileURLWithPath: place.folder + "/run/log.jsonl"))
      let cases = [
        ("nan", "not_finite"), ("lfs", "not_a_model"), ("photos/1.jpg", "not_a_model"),
        ("photos", "not_a_model"), ("none", "not_a_model"), ("run", "run_file"),
      ]
      for (path, kind) in cases {
        let outcome = try test.run(["doctor", path, "--format", "json"])
        #expect(outcome.status == 1)
        #expect(try outcome.objects().first?["kind"] as? String == kind, "\(path): \(outcome.output)")
        let text = try test.run(["doctor", path])
        #expect(text.status == 1 && text.lines.last == "1 thing is wrong", "\(path): \(text.output)")
        #expect(text.output.contains("what helps: "))
      }
    }
  }

  @Test(arguments: [
    [], ["--images", "photos"], ["model", "--skip-list", "x"], ["--captions", "c.json"],
    ["--captions", "c.json", "--images", "a", "--images", "b"],
    ["--captions", "c.json", "--images", "photos", "--validation-share", "2"],
    [
      "--captions", "c.json", "--images", "photos", "--validation-share", "0.5", "--validation-captions", "d",
    ],
    ["--captions", "c.json", "--images", "photos", "--min-count", "0"],
  ]) func usageIsStatus64(arguments: [String]) throws {
    try Workplace.with { place in
      let outcome = try place.start(["doctor"] + arguments).outcome()
      #expect(outcome.status == 64 && outcome.output == "", "\(outcome.errors)")
    }
  }

  /// Nothing that data say is obeyed by a terminal, and nothing is read as an option.
  @Test func hostileNamesAreHarmless() throws {
    try Workplace.with { place in
      try place.makeFolder("photos")
      try place.file(
        "c.json",
        #"[{"image": "\u001b[31m.jpg", "caption": "\u009b31m a\u202edog"}, {"image": "a\nb.jpg", "caption": "x"}]"#
      )
      let outcome = try place.run(
        "doctor", "--captions", "c.json", "--images", "photos", "--skip-list", "skip.txt")
      #expect(outcome.status == 1)
      #expect(
        !(outcome.output + outcome.errors).unicodeScalars.contains {
          [0x1B, 0x9B, 0x202E].contains($0.value)
        })
      #expect(outcome.errors.contains("a name with a line feed fits in no list of lines"))
    }
  }
}
