import Foundation
import TestSupport
import Testing

@Suite struct EvaluateCommandTests {
  private struct Row: Decodable {
    let image_id: Int
    let caption: String
    let log_prob: Double
    let reference_log_probs: [Double]
  }

  @Test func printsScoresAndWritesResults() throws {
    try Workplace.with { place in
      let captions = try place.dataset()
      let outcome = try place.run(
        "evaluate", "--captions", captions, "--images", "photos", "--model", place.model, "--results",
        "results.json",
        "--format", "json", "--beam-width", "2")
      #expect(outcome.status == 0 && outcome.lines.count == 1)
      let scores = try #require(try outcome.objects().first as? [String: Double])
      for key in [
        "Bleu_1", "Bleu_2", "Bleu_3", "Bleu_4", "ROUGE_L", "CIDEr", "perplexity", "loss",
        "mismatched_image_loss", "mean_log_prob", "mean_normalized_log_prob", "mean_length", "distinct",
        "images",
        "word_top_1", "word_top_5", "CIDEr_low", "CIDEr_high", "seconds", "images_per_second",
      ] {
        #expect(scores[key] != nil, "\(key)")
      }
      // Its name in earlier versions.
      #expect(scores["loss_shuffled_images"] == scores["mismatched_image_loss"])
      let data = try Data(contentsOf: URL(fileURLWithPath: place.folder + "/results.json"))
      let rows = try JSONDecoder().decode([Row].self, from: data)
      #expect(rows.map(\.image_id) == Array(1...8) && rows.allSatisfy { $0.reference_log_probs.count == 2 })
      // What `caption` and `score` say of the same photo.
      let captioned = try PrintedImage.lines(
        place.run("caption", "photos", "--model", place.model, "--format", "json", "--beam-width", "2"))
      #expect(captioned.map { $0.captions?[0].caption } == rows.map(\.caption))
      #expect(zip(captioned, rows).allSatisfy { abs($0.captions![0].log_prob - $1.log_prob) < 1e-4 })
      let scored = try PrintedImage.lines(
        place.run(
          "score", "photos/3.jpg", "A dog runs in snow 3.", "--model", place.model, "--format", "json"))
      let logProb = try #require(scored[0].captions?[0].log_prob)
      #expect(abs(logProb - rows[2].reference_log_probs[0]) < 1e-4)
      let mean = rows.reduce(0) { $0 + $1.log_prob } / 8
      #expect(abs(mean - (scores["mean_log_prob"] ?? 0)) < 1e-4)
      #expect(scores["distinct"] == Double(Set(rows.map(\.caption)).count) / 8)

      let text = try place.run(
        "evaluate", "--captions", captions, "--images", "photos", "--model", place.model)
      #expect(text.status == 0 && text.lines.first?.hasPrefix("images") == true && text.lines.count == 19)
    }
  }

  /// With the made-up data that METEOR's own tests have: in JSON, results and report.
  @Test func meteorIsToldWhereItsDataIsGiven() throws {
    let data = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("CaptionMetricsTests/Fixtures/meteor").path
    try Workplace.with { place in
      let captions = try place.dataset()
      let arguments = [
        "evaluate", "--captions", captions, "--images", "photos", "--model", place.model, "--results",
        "results.json", "--report", "report.html", "--format", "json", "--meteor",
      ]
      let outcome = try place.start(arguments + [data]).outcome()
      let scores = try #require(try outcome.objects().first)
      #expect(outcome.status == 0 && scores["METEOR"] is Double && scores["METEOR_low"] is Double)
      let rows = try JSONSerialization.jsonObject(
        with: Data(contentsOf: URL(fileURLWithPath: place.folder + "/results.json")))
      #expect((rows as? [[String: Any]])?.allSatisfy { $0["METEOR"] is Double } == true)
      #expect(try String(contentsOfFile: place.folder + "/report.html", encoding: .utf8).contains(">METEOR<"))
      // What was captioned is scored all the same.
      try FileManager.default.copyItem(atPath: data, toPath: place.folder + "/data")
      try place.file("data/data/paraphrase-en.gz", "no gzip file")
      let damaged = try place.start(arguments + ["data"]).outcome()
      let found = try #require(try damaged.objects().first)
      #expect(
        damaged.status == 1 && found["METEOR"] == nil
          && found["CIDEr"] as? Double == scores["CIDEr"] as? Double)
      #expect(
        damaged.complaints.last
          == "captioner: data/data/paraphrase-en.gz: can't read: not what gzip or zip write, "
          + "near byte 2: incorrect header check")
    }
  }

  @Test func wordsOfAListAreCounted() throws {
    try Workplace.with { place in
      let captions = try place.dataset()
      let list = try place.file("words.txt", "# those that count\ncat\ndog runs\nzebra\n")
      let arguments = ["evaluate", "--captions", captions, "--images", "photos", "--model", place.model]
      let outcome = try place.start(arguments + ["--words", list, "--format", "json"]).outcome()
      #expect(outcome.status == 0, "\(outcome.errors)")
      let words = try #require(try outcome.objects()[0]["words"] as? [String: Any])
      let rows = try #require(words["words"] as? [[String: Any]])
      #expect(rows.map { $0["word"] as? String } == ["cat", "dog runs", "zebra"])
      // Every photo has a cat and a dog that runs, none a zebra.
      #expect(rows.map { $0["images"] as? Int } == [8, 8, 0])
      #expect(rows[2]["recall"] == nil && rows[0]["recall"] != nil)
      let text = try place.start(arguments + ["--words", list]).outcome()
      #expect(text.lines.contains { $0.hasPrefix("zebra ") && $0.contains(" - ") }, "\(text.output)")
      try place.file("words.txt", "#\n...\n")
      let none = try place.start(arguments + ["--words", list]).outcome()
      #expect(none.status == 1)
      #expect(none.complaints.last == "captioner: \(list): the file: expected words, one a line, found none")
    }
  }

  /// The rest is scored, and the exit status tells.
  @Test func aMissingImageIsNamed() throws {
    try Workplace.with { place in
      let captions = try place.dataset()
      try FileManager.default.removeItem(atPath: place.folder + "/photos/5.jpg")
      let outcome = try place.run(
        "evaluate", "--captions", captions, "--images", "photos", "--model", place.model, "--results",
        "r.json",
        "--format", "json")
      #expect(outcome.status == 1)
      #expect(outcome.complaints == ["captioner: photos/5.jpg: can't read: No such file or directory"])
      #expect(try outcome.objects()[0]["images"] as? Double == 7)
    }
  }

  @Test func failuresLeaveNothing() throws {
    try Workplace.with { place in
      let captions = try place.dataset()
      try place.makeFolder("empty")
      try place.file("results.json", "old")
      let good = ["evaluate", "--captions", captions, "--model", place.model]
      for (arguments, complaint) in [
        (
          ["--images", "nowhere", "--results", "results.json"],
          "nowhere: can't open: No such file or directory"
        ),
        (
          ["--images", "model.safetensors", "--results", "results.json"],
          "model.safetensors: can't open: not a folder"
        ),
        (
          ["--images", "empty", "--results", "results.json"],
          "empty: expected images, found none that can be read"
        ),
        (
          ["--images", "photos", "--results", "nowhere/results.json"],
          "nowhere/results.json: can't write: No such file or directory"
        ),
        (["--images", "photos", "--results", "empty"], "empty: can't write: not a regular file"),
        (["--images", "photos", "--results", "/dev/null"], "/dev/null: can't write: not a regular file"),
      ] {
        let outcome = try place.start(good + arguments).outcome()
        #expect(outcome.status == 1 && outcome.output == "", "\(arguments)")
        #expect(outcome.complaints.last == "captioner: " + complaint)
        #expect(try String(contentsOfFile: place.folder + "/results.json", encoding: .utf8) == "old")
        #expect(try place.leftovers() == [])
      }
      var status = stat()
      #expect(stat("/dev/null", &status) == 0 && status.st_mode & S_IFMT == S_IFCHR)
    }
  }

  /// One image, captions without a word the model knows, captions of nothing but punctuation.
  @Test func tinyDataSets() throws {
    try Workplace.with { place in
      try place.photo("decode/jpeg-1x1.jpg", as: "photos/a.jpg")
      for caption in ["...", "zebra", "a dog", "🙂"] {
        try place.file(
          "captions.json",
          #"{"images": [{"id": -9223372036854775808, "file_name": "a.jpg"}], "#
            + #""annotations": [{"image_id": -9223372036854775808, "caption": "\#(caption)"}]}"#)
        let outcome = try place.run(
          "evaluate", "--captions", "captions.json", "--images", "photos", "--model", place.model, "--format",
          "json")
        #expect(outcome.status == 0, "\(caption) \(outcome.errors)")
        let scores = try #require(try outcome.objects().first as? [String: Double])
        #expect(scores["loss"] == scores["loss_shuffled_images"] && (scores["loss"] ?? 0) > 0)
      }
    }
  }

  @Test func vocabularyOfACaptionFile() throws {
    try Workplace.with { place in
      let captions = try place.dataset()
      let text = try place.run("vocabulary", "--captions", captions, "--min-count", "8")
      #expect(text.status == 0)
      #expect(
        text.lines == [
          "0\t<pad>\t0", "1\t<s>\t0", "2\t</s>\t0", "3\t<unk>\t0", "4\ta\t8", "5\tcat\t8", "6\tdog\t8",
          "7\tin\t8",
          "8\truns\t8", "9\tsits\t8", "10\tsnow\t8", "11\tthe\t8",
        ])
      let json = try place.run("vocabulary", "--captions", captions, "--min-count", "8", "--format", "json")
      let object = try #require(try json.objects().first)
      #expect((object["words"] as? [String])?.last == "the" && (object["counts"] as? [Int])?.last == 8)
      let rare = try place.run("vocabulary", "--captions", captions, "--min-count", "9223372036854775807")
      #expect(rare.status == 0 && rare.lines.count == 4)
    }
  }

  @Test func inspectShowsAModel() throws {
    try Workplace.with { place in
      let text = try place.run("inspect", place.model, "--threads", "1")
      #expect(text.status == 0)
      for line in [
        "encoder: VGG-style (4,pool,4,pool), head compact, v of 16", "vocabulary: 12 words",
        "training.note: random",
        "  decoder.lstm.bias               F32  [32]",
      ] { #expect(text.lines.contains { $0.hasPrefix(line) }, "\(line)") }
      let json = try #require(try place.run("inspect", place.model, "--format", "json").objects().first)
      #expect(json["parameters"] as? Int == TinyNetwork.tensors().values.reduce(0) { $0 + $1.count })
      #expect((json["tensors"] as? [Any])?.count == 13)
      let found = try place.run("inspect", environment: ["CAPTIONER_MODEL": place.model])
      #expect(found.output == text.output)
    }
  }
}
