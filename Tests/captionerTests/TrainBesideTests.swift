import Foundation
import Tensors
import TestSupport
import Testing

/// What `train` learns from beside captions of photos: text, labels, a teacher's scores; and data sets with weights.
@Suite struct TrainBesideTests {
  /// Files of all kinds; the options that name them.
  private static func sources(_ test: TrainingPlace) throws -> [String] {
    let text = try test.place.file(
      "text.txt", "a zebra runs\na zebra sits on the mat\nthe dog sees a zebra\n")
    try test.place.photo("decode/jpeg-444.jpg", as: "named/1.jpg")
    try test.place.photo("decode/jpeg-orientation-2.jpg", as: "named/2.jpg")
    let labels = try test.place.file(
      "labels.json",
      #"[{"file_name": "1.jpg", "label": "beach wagon"}, {"file_name": "2.jpg", "label": "apple", "set": "x"}]"#
    )
    let names = try test.place.file("names.tsv", "beach wagon\tcar\n")
    let scores = test.place.folder + "/scores.safetensors"
    try SafetensorsWriter.write(
      [.init(name: "scores", tensor: Tensor([1, 2, 3, 3, 2, 1], [2, 3]), type: .float16)],
      metadata: ["names": #"["1.jpg", "2.jpg"]"#], to: scores)
    return [
      "--text", text, "--text-steps", "3", "--text-share", "0.2", "--labels", labels, "--label-images",
      "named",
      "--label-names", names, "--label-weight", "0.5", "--label-batch", "2", "--label-captions", "0.2",
      "--label-captions-until", "30", "--teacher-scores", scores, "--teacher-images", "named",
      "--teacher-steps", "3", "--teacher-scores-weight", "0.5", "--teacher-batch", "2",
    ]
  }

  @Test func everythingTogether() throws {
    try TrainingPlace.with { test in
      let sources = try Self.sources(test)
      let outcome = try test.run(test.arguments("run", sources + ["--epochs", "3"]))
      #expect(outcome.status == 0, "\(outcome.errors)")
      for note in [
        "text: 3 sentences, 14 words", "labels: 2 photos of 2 things",
        "teacher: 2 photos, scores of 3 classes",
      ] { #expect(outcome.complaints.contains(note), "\(outcome.errors)") }
      let words = try test.place.run("vocabulary", "--captions", test.captions, "--min-count", "1")
      #expect(!words.output.contains("zebra"))
      let model = try SafetensorsFile(path: test.place.folder + "/run/model.safetensors")
      for word in ["zebra", "car", "apple", "an", "photo"] {
        #expect(model.metadata.values.contains { $0.contains("\"\(word)\"") }, "\(word)")
      }
      #expect(model.metadata.values.contains { $0.contains(#""labels":"labels.json""#) })
      // Two views of captioned, named and scored photos each.
      #expect(try test.files("run").count { $0.hasPrefix("features") } == 6)
      // As whole as in two sittings.
      #expect(try test.run(test.arguments("parts", sources + ["--epochs", "1"])).status == 0)
      let resumed = try test.run(["train", "--resume", "--output", "parts", "--epochs", "3"])
      #expect(resumed.status == 0, "\(resumed.errors)")
      #expect(try test.result("parts") == test.result("run"))
      // Attention looks at nothing where there is no image.
      let attention = try test.run(
        test.arguments("attention", sources + ["--epochs", "1", "--conditioning", "attention"]))
      #expect(attention.status == 0, "\(attention.errors)")
    }
  }

  /// Photos that are changed at every step, beside everything else: the same with any number of threads, and in two
  /// sittings. A teacher's photos stay as they are.
  @Test func augmentationGoesWithEverything() throws {
    try TrainingPlace.with { test in
      let more = try test.place.dataset("more.json")
      let options =
        try Self.sources(test) + [
          "--captions", test.captions, "--captions", more, "--weight", "1", "--weight", "3", "--images",
          "photos", "--validation-captions", test.captions, "--augmentation", "crops-and-colour",
          "--smallest-crop", "0.3", "--fine-tune-from", "conv2_1", "--micro-batch", "2", "--self-critical",
          "2",
        ]
      let outcome = try test.run(test.arguments("run", options + ["--epochs", "2", "--threads", "1"]))
      #expect(outcome.status == 0, "\(outcome.errors)")
      let files = try test.files("run")
      // Of validation and teacher; captioned and named photos are kept themselves.
      #expect(files.count { $0.hasPrefix("features") } == 2 && files.count { $0.hasPrefix("photos-") } == 2)
      let parts = test.arguments("parts", options + ["--epochs", "1", "--threads", "3"])
      #expect(try test.run(parts).status == 0)
      let resumed = try test.run(["train", "--resume", "--output", "parts", "--epochs", "2"])
      #expect(resumed.status == 0, "\(resumed.errors)")
      #expect(try test.result("parts") == test.result("run"))
      let doctor = try test.run(["doctor", "run"])
      #expect(doctor.status == 0, "\(doctor.output)")
    }
  }

  @Test func theCheckCountsThem() throws {
    try TrainingPlace.with { test in
      let sources = try Self.sources(test)
      let plain = try test.run(test.arguments("run", "--check", "--format", "json")).objects()[0]
      #expect(plain["beside"] == nil)
      let outcome = try test.run(test.arguments("run", sources + ["--check", "--format", "json"]))
      #expect(outcome.status == 0, "\(outcome.errors)")
      let report = try outcome.objects()[0]
      let beside = try #require(report["beside"] as? [String: Any])
      #expect(beside["text_sentences"] as? Int == 3 && beside["text_words"] as? Int == 14)
      #expect(beside["labelled_photos"] as? Int == 2 && beside["labels"] as? Int == 2)
      #expect(beside["scored_photos"] as? Int == 2 && beside["scored_classes"] as? Int == 3)
      func estimate(_ report: [String: Any], _ key: String) -> Double {
        ((report["estimate"] as? [String: Any])?[key] as? Double) ?? 0
      }
      #expect(estimate(report, "disk_bytes") > estimate(plain, "disk_bytes"))
      try FileManager.default.removeItem(atPath: test.place.folder + "/named/1.jpg")
      try test.place.file("named/2.jpg", "no photo")
      let damaged = try test.run(test.arguments("run", sources + ["--check"]))
      #expect(
        damaged.status == 1 && damaged.lines.contains("  missing: 1")
          && damaged.lines.contains("  corrupt: 1"))
      #expect(damaged.lines.contains("labels: 2 photos of 2 things, 0 left out"))
    }
  }

  @Test func dataSetsHaveWeights() throws {
    try TrainingPlace.with { test in
      try test.place.photo("decode/jpeg-444.jpg", as: "photos/a.jpg")
      let list = try test.place.file(
        "more.json", #"[{"file_path": "a.jpg", "captions": ["A bird.", "A tree!"]}]"#)
      let two = ["--captions", test.captions, "--captions", list, "--images", "photos", "--epochs", "2"]
      let outcome = try test.run(test.arguments("run", two + ["--weight", "1", "--weight", "3"]))
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(outcome.complaints.contains { $0.hasSuffix("more.json: 2 captions, 75.0 % of each batch") })
      #expect(try test.run(test.arguments("plain", two)).status == 0)
      #expect(try test.result("plain") != test.result("run"))
      let check = try test.run(test.arguments("x", two + ["--weight", "1", "--weight", "3", "--check"]))
      #expect(check.lines.contains { $0.hasSuffix("captions.json: 16 captions, 25.0 % of each batch") })
      let one = try test.run(test.arguments("x", two + ["--weight", "1"]))
      #expect(one.complaints.last == "captioner: --weight: expected one for each of 2 --captions, found 1")
      let word = try test.run(test.arguments("x", two + ["--weight", "much"]))
      #expect(
        word.status == 64 && word.errors.contains("expected numbers of 0 or more"), "\(word.errors)"
      )
    }
  }

  @Test func hostileFilesEndInALine() throws {
    try TrainingPlace.with { test in
      func complaint(_ more: String...) throws -> String? {
        let outcome = try test.run(test.arguments("x", more))
        #expect((1...64).contains(outcome.status) && !outcome.errors.contains("Fatal"), "\(outcome.errors)")
        return outcome.complaints.last
      }
      let latin = try test.place.file("latin.txt", Data("a caf".utf8) + Data([0xE9, 0x0A]))
      #expect(
        try complaint("--text", latin, "--text-share", "0.1")?.hasSuffix(
          "latin.txt: line 1: expected UTF-8, found bytes that are not") == true)
      #expect(
        try complaint("--text-share", "0.1") == "captioner: --text-share: has an effect only with --text")
      let labels = try test.place.file("labels.json", #"[{"file_name": "1.jpg", "label": 3}]"#)
      #expect(
        try complaint("--labels", labels, "--label-images", "photos", "--label-weight", "1")?.contains(
          "labels.json: [0].label: expected a string") == true)
      #expect(
        try complaint("--teacher-scores", test.captions, "--teacher-steps", "3")?.contains(
          "captions.json: the file: expected a teacher's scores (safetensors)") == true)
    }
  }
}
