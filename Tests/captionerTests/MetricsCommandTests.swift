import Foundation
import TestSupport
import Testing

@Suite struct MetricsCommandTests {
  private let references =
    #"{"images": [{"id": 1}, {"id": 2}, {"id": 30}], "annotations": ["#
    + #"{"image_id": 1, "caption": "A dog runs in the snow."}, {"image_id": 1, "caption": "The dog's running!"},"#
    + #"{"image_id": 2, "caption": "Two cats sleep on a bed."}, {"image_id": 2, "caption": ""},"#
    + #"{"image_id": 30, "caption": "a man"}]}"#

  private func run(_ place: Workplace, results: String, _ options: String...) throws
    -> CaptionerProcess.Outcome
  {
    try place.file("references.json", references)
    try place.file("results.json", results)
    return try place.start(
      ["metrics", "--references", "references.json", "--results", "results.json"] + options
    ).outcome()
  }

  private let good =
    #"[{"image_id": 2, "caption": "two cats sleep on a bed", "log_prob": -3.5, "id": 9},"#
    + #"{"image_id": 1, "caption": "A dog runs."}, {"image_id": 30, "caption": "a man"}]"#

  @Test func printsOneObjectWithPycocoevalcapsNames() throws {
    try Workplace.with { place in
      let outcome = try run(place, results: good, "--format", "json", "--threads", "2")
      #expect(outcome.status == 0 && outcome.complaints.isEmpty && outcome.lines.count == 1)
      let scores = try #require(try outcome.objects().first as? [String: Double])
      var names = ["Bleu_1", "Bleu_2", "Bleu_3", "Bleu_4", "ROUGE_L", "CIDEr"]
      names += names.flatMap { [$0 + "_low", $0 + "_high"] }
      names += ["distinct", "distinct_1", "distinct_2", "images"]
      names += ["mean", "sd", "median", "min", "max"].map { $0 + "_length" }
      #expect(Set(scores.keys) == Set(names))
      // pycocoevalcap 1.2 of the same files.
      for (name, value) in [
        ("Bleu_1", 0.9131007161162442), ("Bleu_4", 0.91310071602822), ("ROUGE_L", 0.8762886597938144),
        ("CIDEr", 4.127585590553646),
      ] { #expect(abs((scores[name] ?? 0) - value) < 1e-9, "\(name) \(scores[name] ?? 0)") }
      #expect(abs((scores["distinct_1"] ?? 0) - 9.0 / 11) < 1e-12 && scores["distinct"] == 1)
      #expect(scores["mean_length"] == 11.0 / 3 && scores["max_length"] == 6)
      for name in names where name.hasSuffix("_low") {
        #expect((scores[name] ?? 2) <= (scores[String(name.dropLast(4))] ?? 1))
      }
      // Intervals that were drawn before there was one bootstrap for all metrics.
      for (name, value) in [
        ("Bleu_1_low", 0.7165313104145604), ("Bleu_4_low", 0.0009999999997083336),
        ("Bleu_4_high", 0.9999999998652779), ("ROUGE_L_low", 0.6288659793814433),
        ("CIDEr_low", 2.382756771660936), ("CIDEr_high", 5),
      ] { #expect(abs((scores[name] ?? 0) - value) < 1e-14, "\(name) \(scores[name] ?? 0)") }
      // The seed decides, and nothing else.
      #expect(try run(place, results: good, "--format", "json", "--threads", "1").output == outcome.output)
      let other = try run(place, results: good, "--format", "json", "--seed", "2", "--resamples", "5")
      #expect(other.status == 0 && other.output != outcome.output)
      let none = try run(place, results: good, "--format", "json", "--resamples", "0")
      #expect(try none.objects()[0].count == names.count - 12)
    }
  }

  /// With the made-up data that METEOR's own tests have.
  @Test func meteorIsToldWhereItsDataIsGiven() throws {
    let data = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("CaptionMetricsTests/Fixtures/meteor").path
    try Workplace.with { place in
      let options = ["--meteor", data, "--per-image", "rows.json"]
      let arguments = ["metrics", "--references", "references.json", "--results", "results.json"] + options
      let text = try run(place, results: good, "--meteor", data)
      #expect(text.status == 0 && text.lines.count == 13 && text.lines[8].hasPrefix("METEOR                "))
      let outcome = try place.start(arguments + ["--format", "json"]).outcome()
      let scores = try #require(try outcome.objects().first as? [String: Double])
      let (low, score, high) = (scores["METEOR_low"] ?? 2, scores["METEOR"] ?? -1, scores["METEOR_high"] ?? 0)
      #expect(low <= score && score <= high && score > 0.5 && score < 1)
      let rows = try JSONSerialization.jsonObject(
        with: Data(contentsOf: URL(fileURLWithPath: place.folder + "/rows.json")))
      // All of its words are a reference's, in its order.
      #expect((rows as? [[String: Any]])?.map { $0["METEOR"] as? Double == 1 } == [true, false, true])
      let none = try run(place, results: good, "--meteor", "none")
      #expect(none.status == 1)
      #expect(none.complaints == ["captioner: none: can't open: No such file or directory"])
    }
  }

  @Test func printsATableForPeople() throws {
    try Workplace.with { place in
      let outcome = try run(place, results: good)
      #expect(outcome.status == 0 && outcome.lines.count == 12)
      #expect(outcome.lines[0] == "images                3")
      #expect(outcome.lines[1] == "scores                in percent  (95 % interval)")
      #expect(outcome.lines[2].hasPrefix("BLEU-1                91.3  ("))
      #expect(outcome.lines.last == "words                 3.7 ± 1.7 (2 to 6, median 3.0)")
    }
  }

  @Test func writesEachImagesScores() throws {
    try Workplace.with { place in
      try place.file(
        "train.json",
        #"{"images": [{"id": 1}], "annotations": [{"image_id": 1, "caption": "A dog runs!"}]}"#)
      let outcome = try run(
        place, results: good, "--per-image", "rows.json", "--training-captions", "train.json", "--format",
        "json")
      #expect(outcome.status == 0)
      #expect(try outcome.objects()[0]["novelty"] as? Double == 2.0 / 3)
      let data = try Data(contentsOf: URL(fileURLWithPath: place.folder + "/rows.json"))
      let rows = try #require(try JSONSerialization.jsonObject(with: data) as? [[String: Any]])
      #expect(rows.map { $0["image_id"] as? Int } == [2, 1, 30])
      #expect(rows.map { $0["novel"] as? Bool } == [true, false, true])
      #expect(rows.map { $0["length"] as? Int } == [6, 3, 2])
      #expect(rows[1]["tokens"] as? [String] == ["a", "dog", "runs"])
      #expect(
        rows[0]["log_prob"] as? Double == -3.5 && rows[0]["caption"] as? String == "two cats sleep on a bed")
      let mean = rows.compactMap { $0["CIDEr"] as? Double }.reduce(0, +) / 3
      #expect(abs(mean - (try outcome.objects()[0]["CIDEr"] as? Double ?? 0)) < 1e-12)
    }
  }

  @Test func emptyCaptionsAndMissingImagesAreToldOf() throws {
    try Workplace.with { place in
      let outcome = try run(
        place,
        results: #"[{"image_id": 2, "caption": "..."}, {"image_id": 1, "caption": ""}]"#, "--format", "json")
      #expect(outcome.status == 0)
      #expect(
        outcome.complaints == [
          "captioner: results.json: no result for image 30 of references.json: not scored",
          "captioner: 2 captions without a word, the first of image 2: scored as pycocoevalcap does",
        ])
      let scores = try #require(try outcome.objects().first as? [String: Double])
      // The second image has an empty reference, which ROUGE-L of pycocoevalcap takes for a match.
      #expect(scores["ROUGE_L"] == 0.5 && scores["CIDEr"] == 0 && (scores["Bleu_1"] ?? 1) < 1e-9)
    }
  }

  /// e^(what the references cost per word), as `evaluate` has it.
  @Test func perplexityOfResultsThatTellLogProbs() throws {
    try Workplace.with { place in
      let captions = try place.dataset()
      let evaluated = try place.run(
        "evaluate", "--captions", captions, "--images", "photos", "--model", place.model, "--results",
        "results.json", "--format", "json")
      let scored = try place.run(
        "metrics", "--references", captions, "--results", "results.json", "--format", "json")
      #expect(scored.status == 0)
      let (theirs, ours) = (try evaluated.objects()[0], try scored.objects()[0])
      let perplexity = try #require(ours["perplexity"] as? Double)
      #expect(abs(perplexity / (theirs["perplexity"] as? Double ?? 0) - 1) < 1e-5)
      for name in ["Bleu_1", "Bleu_4"] {
        #expect(abs((ours[name] as? Double ?? 0) - (theirs[name] as? Double ?? 1)) < 1e-9)
      }
      #expect(ours["distinct"] as? Double == theirs["distinct"] as? Double)
    }
  }

  /// What `caption` prints is scored as it is, whatever format the references have.
  @Test func captionsArePipedIntoMetrics() throws {
    try Workplace.with { place in
      _ = try place.dataset()
      try place.file("tokens.txt", (1...8).map { "\($0).jpg#0\tA dog runs in snow \($0).\n" }.joined())
      var scores: [String] = []
      for (format, name) in [("json", "own.jsonl"), ("csv", "own.csv")] {
        let captions = try place.run("caption", "photos", "--model", place.model, "--format", format)
        #expect(captions.status == 0)
        try place.file(name, captions.output)
        let scored = try place.run(
          "metrics", "--references", "tokens.txt", "--results", name, "--format", "json")
        #expect(scored.status == 0 && scored.complaints.isEmpty, "\(scored.errors)")
        scores.append(scored.output)
      }
      #expect(scores[0] == scores[1] && scores[0].contains("\"images\":8"))
    }
  }

  @Test func textsAreScoredLineByLine() throws {
    try Workplace.with { place in
      try place.file("references.txt", "a dog runs\ntwo cats sleep\n")
      try place.file("results.txt", "a dog runs\ntwo cats sleep\n")
      let scored = try place.run(
        "metrics", "--references", "references.txt", "--results", "results.txt", "--format", "json")
      #expect(scored.status == 0)
      #expect(abs((try scored.objects()[0]["Bleu_1"] as? Double ?? 0) - 1) < 1e-6)
      try place.file("results.txt", "a dog runs\n")
      let short = try place.run("metrics", "--references", "references.txt", "--results", "results.txt")
      #expect(short.status == 1 && short.errors.contains("results.txt: its lines: expected 2 captions"))
    }
  }

  @Test func aSingleImageHasNoCIDEr() throws {
    try Workplace.with { place in
      let scored = try run(
        place, results: #"[{"image_id": 1, "caption": "A dog runs."}]"#, "--format", "json")
      #expect(scored.status == 0 && scored.errors.contains("captioner: CIDEr is 0 of a single image"))
      let two = try run(
        place, results: #"[{"image_id": 1, "caption": "A dog."}, {"image_id": 2, "caption": "Two cats."}]"#)
      #expect(!two.errors.contains("CIDEr"))
    }
  }

  @Test func badFilesAreRefusedByName() throws {
    try Workplace.with { place in
      try place.file("rows.json", "old")
      for (results, complaint) in [
        ("[]", "results.json: expected results, found none"),
        (
          #"[{"image_id": 7, "caption": "a"}]"#,
          "results.json: image 7 not among the images of references.json"
        ),
        (
          #"[{"image_id": 7, "caption": "a"}, {"image_id": 1, "caption": "a"}, {"image_id": -8, "caption": "a"}]"#,
          "results.json: 2 images (7, -8) not among the images of references.json"
        ),
        (
          #"[{"image_id": 1, "caption": "a"}, {"image_id": 1, "caption": "b"}]"#,
          "results.json: [1].image_id: id 1 comes twice"
        ),
        (#"[{"image_id": 1}]"#, "results.json: [0].caption is missing"),
        (
          #"[{"image_id": 1, "caption": "a", "reference_log_probs": "x"}]"#,
          "results.json: [0].reference_log_probs: expected a list, found a string"
        ),
      ] {
        let outcome = try run(place, results: results, "--per-image", "rows.json")
        #expect(outcome.status == 1 && outcome.output == "")
        #expect(outcome.complaints == ["captioner: " + complaint])
      }
      for (option, complaint) in [
        (["--training-captions", "nowhere.json"], "nowhere.json: can't open: No such file or directory"),
        (["--per-image", "nowhere/rows.json"], "nowhere/rows.json: can't write: No such file or directory"),
        (["--per-image", "/dev/null"], "/dev/null: can't write: not a regular file"),
      ] {
        try place.file("results.json", good)
        let outcome = try place.start(
          ["metrics", "--references", "references.json", "--results", "results.json"] + option
        ).outcome()
        #expect(outcome.status == 1)
        #expect(outcome.complaints == ["captioner: " + complaint])
      }
      try place.file("references.json", #"{"images": [{"id": 1}], "annotations": []}"#)
      try place.file("results.json", #"[{"image_id": 1, "caption": "a"}]"#)
      let bare = try place.run("metrics", "--references", "references.json", "--results", "results.json")
      #expect(
        bare.complaints == ["captioner: results.json: image 1 without a caption in references.json"])
      #expect(try run(place, results: good, "--resamples", "-1").status == 64)
      let undrawn = try run(place, results: good, "--resamples", "0", "--seed", "1")
      #expect(undrawn.status == 64 && undrawn.output == "")
      #expect(
        undrawn.complaints.first == "Error: --seed: only without --resamples 0, which draws nothing")
      #expect(try String(contentsOfFile: place.folder + "/rows.json", encoding: .utf8) == "old")
    }
  }
}
