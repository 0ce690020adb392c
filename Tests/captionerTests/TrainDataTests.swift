import Foundation
import Tensors
import TestSupport
import Testing

/// What `train` reads: files, splits, long captions, bad images, and its check of them.
@Suite struct TrainDataTests {
  @Test func dataIsChecked() throws {
    try TrainingPlace.with { test in
      let whole = try test.run(test.arguments("run", "--check"))
      #expect(whole.status == 0, "\(whole.errors)")
      #expect(whole.lines.first?.hasPrefix("training: 8 images, 16 captions of ") == true)
      #expect(whole.lines.contains("  validation images that training sees: 8"))
      #expect(whole.lines.last == "everything can be used")
      #expect(!FileManager.default.fileExists(atPath: test.place.folder + "/run"))
      try FileManager.default.removeItem(atPath: test.place.folder + "/photos/3.jpg")
      try test.place.file("photos/4.jpg", "no photo")
      let damaged = try test.run(test.arguments("run", "--check", "--format", "json"))
      #expect(damaged.status == 1 && damaged.lines.count == 1)
      let report = try damaged.objects()[0]
      #expect(report["usable"] as? Bool == false)
      let train = (report["data"] as? [String: Any])?["train"] as? [String: Any]
      func paths(_ key: String) -> [String?]? {
        (train?[key] as? [[String: String]])?.map { $0["image"] }
      }
      #expect(paths("missing_images") == ["photos/3.jpg"] && paths("corrupt_images") == ["photos/4.jpg"])
      #expect(((report["estimate"] as? [String: Any])?["disk_bytes"] as? Int ?? 0) > 0)
    }
  }

  /// One Karpathy file gives both sets.
  /// Photos that are changed at every step are kept; features are those of validation alone.
  @Test func augmentationIsEstimated() throws {
    try TrainingPlace.with { test in
      func bytes(_ options: [String]) throws -> Int {
        let outcome = try test.run(test.arguments("run", ["--check", "--format", "json"] + options))
        #expect(outcome.status == 0, "\(outcome.errors)")
        let estimate = try outcome.objects()[0]["estimate"] as? [String: Any]
        return try #require(estimate?["disk_bytes"] as? Int)
      }
      // Eight photos, sixteen floats each; two views of each, else the photo alone.
      let (plain, augmented) = try (bytes([]), bytes(["--augmentation", "crops"]))
      #expect(augmented - plain == 8 * (4 + 3 * 87381) - 8 * 64)
    }
  }

  @Test func splitsOfOneFileTrainAndValidate() throws {
    try TrainingPlace.with { test in
      let images = (1...8).map { number in
        let split = number < 6 ? "train" : number == 6 ? "restval" : number == 7 ? "val" : "test"
        return #"{"filepath": "photos", "filename": "\#(number).jpg", "split": "\#(split)", "#
          + #""sentences": [{"raw": "A dog \#(number)."}, {"raw": "Two cats sit."}]}"#
      }
      let file = try test.place.file("all.json", #"{"images": [\#(images.joined(separator: ","))]}"#)
      let outcome = try test.run(
        test.arguments(
          "run", "--captions", file, "--validation-captions", file, "--images", ".", "--epochs", "1"))
      #expect(outcome.status == 0, "\(outcome.errors)")
      // The same without naming it twice: the val split of the training file.
      let alone = [
        "train", "--captions", file, "--images", ".", "--encoder", test.place.model, "--embedding-size", "8",
        "--hidden-size", "16", "--feature-size", "16", "--min-count", "1", "--batch-size", "2",
        "--learning-rate", "0.02", "--stop-patience", "40", "--epochs", "1", "--output",
      ]
      #expect(try test.run(alone + ["alone"]).status == 0)
      #expect(try test.result("alone") == test.result("run"))
      // Other splits are other runs; a file without splits has none to validate on.
      let only = try test.run(
        alone + ["only", "--split", "train-only", "--validation-split", "test", "--validation-images", "."])
      #expect(only.status == 0 && only.complaints.contains { $0.hasPrefix("5 images, 10 captions; ") })
      let none = try test.run(alone + ["none", "--captions", test.captions, "--images", "photos"])
      #expect(
        none.status == 1
          && none.complaints.last?.contains(
            "expected images of split val, found images without splits: --validation-share 0.1 ") == true
      )
      #expect(outcome.complaints.contains { $0.hasPrefix("6 images, 12 captions; ") })
      let model = "run/model.safetensors"
      func count(_ arguments: String...) throws -> Double? {
        let outcome = try test.run(
          ["evaluate", "--captions", file, "--images", ".", "--model", model, "--format", "json"] + arguments)
        return try outcome.objects().first?["images"] as? Double
      }
      #expect(try count() == 1)
      #expect(try count("--split", "train") == 6)
      #expect(try count("--split", "all") == 8)
      #expect(try count("--split", "test,train-only", "--captions", file, "--images", ".") == 12)
    }
  }

  /// Several data sets, with folders of their own, are one.
  @Test func severalFilesTrainTogether() throws {
    try TrainingPlace.with { test in
      try test.place.photo("decode/jpeg-444.jpg", as: "more/a.jpg")
      let list = try test.place.file(
        "more.json", #"[{"file_path": "a.jpg", "captions": ["A bird.", "A tree!"]}]"#)
      let two = [
        "--captions", test.captions, "--captions", list, "--images", "photos", "--images", "more",
        "--validation-captions", list, "--validation-captions", test.captions, "--validation-images", "more",
        "--validation-images", "photos", "--epochs", "2",
      ]
      let both = try test.run(test.arguments("both", two))
      #expect(both.status == 0, "\(both.errors)")
      #expect(both.complaints.contains { $0.hasPrefix("9 images, 18 captions; ") })
      #expect(try test.run(["train", "--resume", "--output", "both", "--epochs", "3"]).status == 0)
      let swapped = try test.run(["train", "--resume", "--output", "both", "--captions", test.captions])
      #expect(swapped.status == 1 && swapped.complaints.last?.contains("folders of images, found 2") == true)
      let model = try test.place.run("inspect", "both/model.safetensors")
      #expect(model.output.contains("captions.json, more.json"))
      let folders = try test.run(test.arguments("folders", ["--images", "photos", "--images", "more"]))
      #expect(folders.complaints.last == "captioner: 1 caption files: expected 1 folders of images, found 2")
    }
  }

  /// Clipped or left out, and said so; validation captions stay as they are.
  @Test func longCaptionsAreClippedOrLeftOut() throws {
    try TrainingPlace.with { test in
      let none = try test.run(test.arguments("none", "--epochs", "1", "--max-length", "6"))
      #expect(none.status == 0 && !none.errors.contains("words clipped"), "\(none.errors)")
      for (rule, words) in [("clip", "clipped"), ("drop", "left out")] {
        let outcome = try test.run(
          test.arguments(
            rule, "--epochs", "1", "--max-length", "4", "--long-captions", rule, "--length-buckets"))
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.complaints.contains("8 captions of more than 4 words \(words)"), "\(outcome.errors)")
      }
      #expect(try test.result("clip") != test.result("drop"))
      let model = try SafetensorsFile(path: test.place.folder + "/drop/model.safetensors")
      #expect(model.metadata["training"]?.contains(#""training_captions":"8""#) == true)
      let images = try test.run(test.arguments("images", "--length-buckets", "--batch-unit", "images"))
      #expect(
        images.complaints.last
          == "captioner: --length-buckets: expected --batch-unit captions, found images")
    }
  }

  /// A file without splits gives both sets by a share of its images.
  @Test func aShareOfTheImagesValidates() throws {
    try TrainingPlace.with { test in
      func run(_ output: String, _ more: String...) throws -> CaptionerProcess.Outcome {
        try test.run(
          [
            "train", "--captions", test.captions, "--images", "photos", "--encoder", test.place.model,
            "--embedding-size", "8", "--hidden-size", "16", "--feature-size", "16", "--min-count", "1",
            "--views", "1",
            "--batch-size", "2", "--epochs", "1", "--validation-share", "0.25", "--output", output,
          ] + more)
      }
      let outcome = try run("run")
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(outcome.complaints.contains { $0.hasPrefix("6 images, 12 captions; ") })
      #expect(!outcome.errors.contains("are training images too"))
      #expect(try run("again").status == 0 && test.result("again") == test.result("run"))
      #expect(try run("other", "--seed", "2").status == 0)
      #expect(try test.run(["train", "--resume", "--output", "run", "--epochs", "2"]).status == 0)
      let idle = try run("idle", "--validation-captions", test.captions)
      #expect(idle.status == 64 && idle.errors.contains("--validation-captions"), "\(idle.errors)")
      let all = try run("all", "--validation-share", "1")
      #expect(all.status == 64 && all.errors.contains("--validation-share: expected"), "\(all.errors)")
    }
  }

  /// Trained and judged on the same photos, with words that are too rare: both are said.
  @Test func whatMakesScoresMeaninglessIsSaid() throws {
    try TrainingPlace.with { test in
      let text = try String(contentsOfFile: test.captions, encoding: .utf8)
      try test.place.file(
        "captions.json", text.replacing(/in snow (\d)/) { "w\($0.1) x\($0.1) y\($0.1) z\($0.1)" })
      let outcome = try test.run(test.arguments("run", "--epochs", "1", "--min-count", "8"))
      #expect(outcome.status == 0, "\(outcome.errors)")
      for warning in [
        "captioner: 8 validation images are training images too, the first photos/1.jpg",
        "captioner: the vocabulary covers only ", " of the validation words become <unk>",
      ] { #expect(outcome.errors.contains(warning), "\(outcome.errors)") }
    }
  }

  /// Defaults for as many captions as there are, unless something of the kind was chosen.
  @Test func fewCaptionsGetOptionsThatSuitThem() throws {
    try TrainingPlace.with { test in
      let arguments = [
        "train", "--captions", test.captions, "--images", "photos", "--validation-captions", test.captions,
        "--encoder", test.place.model, "--embedding-size", "8", "--hidden-size", "16", "--feature-size", "16",
        "--min-count", "1", "--views", "1",
      ]
      let outcome = try test.run(arguments + ["--stop-patience", "1", "--output", "run"])
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(
        outcome.complaints.contains {
          $0.hasPrefix("16 captions are few: --batch-size 8 --epochs 60 --warm-up 2 --stop-patience 1 ")
        }, "\(outcome.errors)")
      #expect(try test.run(["train", "--resume", "--output", "run"]).status == 0)
      let chosen = try test.run(arguments + ["--epochs", "1", "--output", "chosen"])
      #expect(chosen.status == 0 && !chosen.errors.contains("--batch-size"), "\(chosen.errors)")
      // Rare words count, too, unless that was chosen.
      #expect(!chosen.errors.contains("--min-count"))
      let open = try test.run(
        arguments.dropLast(4) + ["--views", "1", "--epochs", "1", "--output", "open"])
      #expect(
        open.status == 0 && open.errors.contains("16 captions are few: --min-count 2, "), "\(open.errors)")
    }
  }

  /// An annotation that is broken is listed, and nothing else is lost.
  @Test func brokenEntriesAreListed() throws {
    try TrainingPlace.with { test in
      let text = try String(contentsOfFile: test.captions, encoding: .utf8)
      let broken = text.replacing(
        #""annotations": ["#, with: #""annotations": [null, {"image_id": 1, "caption": null},"#)
      let file = try test.place.file("broken.json", broken)
      let checked = try test.run(test.arguments("run", "--captions", file, "--images", "photos", "--check"))
      #expect(checked.status == 1)
      #expect(checked.lines.contains("  entries that can't be read: 2"))
      #expect(checked.output.contains("broken.json: annotations[1].caption: expected a string, found null"))
      let trained = try test.run(
        test.arguments("run", "--captions", file, "--images", "photos", "--epochs", "1"))
      #expect(
        trained.status == 0
          && trained.errors.contains("broken.json: 2 entries left out, the first: annotations[0]"))
    }
  }

  /// Photos that are cut short are left out, or what there is of them is taken.
  @Test func photosCutShortAreTakenOnDemand() throws {
    try TrainingPlace.with { test in
      let photo = test.place.folder + "/photos/4.jpg"
      let whole = try Data(contentsOf: URL(fileURLWithPath: photo))
      try whole.prefix(whole.count * 9 / 10).write(to: URL(fileURLWithPath: photo))
      let outcome = try test.run(test.arguments("run", "--epochs", "1", "--lenient"))
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(outcome.complaints.count { $0.contains("photos/4.jpg: cut short: ") } == 1, "\(outcome.errors)")
      #expect(try test.run(test.arguments("run", "--check", "--lenient")).status == 0)
      #expect(try test.run(test.arguments("run", "--check")).status == 1)
      let small = try test.run(test.arguments("small", "--epochs", "1", "--max-pixels", "10"))
      #expect(small.status == 1 && small.errors.contains("(--max-pixels)"), "\(small.errors)")
    }
  }

  /// An image that can't be read leaves the data, not the run; one that appears later makes it another run.
  @Test func badImagesAreLeftOut() throws {
    try TrainingPlace.with { test in
      let photo = test.place.folder + "/photos/4.jpg"
      let whole = try Data(contentsOf: URL(fileURLWithPath: photo))
      try whole.prefix(200).write(to: URL(fileURLWithPath: photo))
      let outcome = try test.run(test.arguments("run", "--epochs", "2", "--views", "1"))
      // As in every batch: the rest is done, and the status tells.
      #expect(outcome.status == 1)
      #expect(outcome.errors.contains("captioner: photos/4.jpg: expected a whole JPEG image"))
      #expect(outcome.complaints.contains("captioner: 1 images can't be read and were left out"))
      #expect(try test.files("run").contains("model.safetensors"))
      try whole.write(to: URL(fileURLWithPath: photo))
      let resumed = try test.run(["train", "--resume", "--output", "run"])
      #expect(
        resumed.status == 1 && resumed.errors.contains("other captions, or other images that can be read"))
    }
  }
}

/// Options that would be ignored are refused, naming what they need.
@Suite struct IdleOptionTests {
  @Test(arguments: [
    (["--momentum", "0.9"], "--optimizer sgd"), (["--nesterov"], "--optimizer sgd"),
    (["--momentum", "0.9", "--encoder-optimizer", "sgd"], "--fine-tune-from"),
    (["--sampling-k", "1"], "--scheduled-sampling"), (["--sampling-coin", "token"], "--scheduled-sampling"),
    (["--sampling-choice", "sample"], "--scheduled-sampling"),
    (["--scheduled-sampling", "exponential", "--sampling-c", "1"], "--scheduled-sampling linear"),
    (["--scheduled-sampling", "exponential", "--sampling-floor", "1"], "--scheduled-sampling linear"),
    (["--teacher-weight", "0.5"], "--self-critical"), (["--fine-tune-after", "3"], "--fine-tune-from"),
    (["--encoder-learning-rate", "1e-5"], "--fine-tune-from"),
    (["--encoder-optimizer", "adam"], "--fine-tune-from"),
    (["--encoder-weight-decay", "0"], "--fine-tune-from"), (["--micro-batch", "4"], "--fine-tune-from"),
    (["--decay-every", "10"], "--schedule step or exponential"),
    (["--schedule", "step", "--decay-patience", "1"], "--schedule plateau"),
    (["--schedule", "cosine", "--learning-rate-decay", "0.5"], "--schedule step, exponential or plateau"),
    (["--layer-dropout", "0.1"], "--layers"), (["--residual"], "--layers 2 or more"),
    (["--long-captions", "drop"], "--max-length"),
    (["--smallest-crop", "0.5"], "with --augmentation"), (["--crop-ratio", "2"], "with --augmentation"),
    (["--mirror-chance", "0"], "with --augmentation"),
    (["--augmentation", "crops", "--contrast-jitter", "0.1"], "with --augmentation crops-and-colour"),
    (["--augmentation", "crops", "--views", "2"], "without --augmentation"),
    (["--start", "model.safetensors", "--forget-bias", "1"], "--start"), (["--format", "json"], "--check"),
  ]) func isRefused(options: [String], needed: String) throws {
    try TrainingPlace.with { test in
      let outcome = try test.run(test.arguments("run", options))
      #expect(outcome.status == 64 && outcome.complaints.count == 1, "\(outcome.errors)")
      let option = try #require(options.last { $0.hasPrefix("--") })
      let named = options.contains("--momentum") ? "--" : "\(option): has an effect only "
      #expect(outcome.errors.hasPrefix("captioner: \(named)") && outcome.errors.contains(needed))
      #expect(!FileManager.default.fileExists(atPath: test.place.folder + "/run"))
    }
  }

  /// A whole file of options, those without effect among them, is what runs write.
  @Test func aFileOfOptionsMayHaveThem() throws {
    try TrainingPlace.with { test in
      #expect(try test.run(test.arguments("run", "--epochs", "1")).status == 0)
      let again = try test.run(["train", "--config", "run/config.json", "--seed", "2", "--output", "again"])
      #expect(again.status == 0, "\(again.errors)")
    }
  }
}
