import Foundation
import TestSupport
import Testing

@Suite struct EvaluateOptionsTests {
  private func scores(_ outcome: CaptionerProcess.Outcome) throws -> [String: Any] {
    #expect(outcome.status == 0 && outcome.lines.count == 1, "\(outcome.errors)")
    return try outcome.objects()[0]
  }

  /// The features of a first run are all that a second one needs; those of photos that were replaced are computed again;
  /// another model refuses the file.
  @Test func featuresAreKept() throws {
    try Workplace.with { place in
      let captions = try place.dataset()
      let arguments = [
        "evaluate", "--captions", captions, "--images", "photos", "--model", place.model, "--features", "f",
        "--format", "json",
      ]
      let first = try scores(place.start(arguments).outcome())
      let outcome = try place.start(arguments).outcome()
      let second = try scores(outcome)
      #expect(!outcome.errors.contains("again"))
      #expect(first["exact_decoding"] as? Int == 0 && second["exact_decoding"] as? Int == 0)
      #expect(first["CIDEr"] as? Double == second["CIDEr"] as? Double)
      #expect(first["loss"] as? Double == second["loss"] as? Double)
      try place.file("photos/3.jpg", "no photo any more")
      let replaced = try place.start(arguments).outcome()
      #expect(replaced.status == 1 && replaced.errors.contains("1 image has changed since, computed again"))
      try TinyNetwork.writeModel(to: place.model, tensors: TinyNetwork.tensors(seed: 2))
      let other = try place.start(arguments).outcome()
      #expect(
        other.status == 1 && other.complaints.last?.hasPrefix("captioner: f: expected features") == true)
    }
  }

  @Test func retrievalSweepAndManyCaptions() throws {
    try Workplace.with { place in
      let captions = try place.dataset()
      let arguments = [
        "evaluate", "--captions", captions, "--images", "photos", "--model", place.model, "--retrieval",
        "--retrieval-images", "3", "--sweep-beam-widths", "1,3", "--sweep-length-normalizations",
        "none,wu:0.7,average", "--n-best", "2", "--results", "r.json",
      ]
      let object = try scores(place.start(arguments + ["--format", "json"]).outcome())
      let retrieval = try #require(object["retrieval"] as? [String: Any])
      #expect(retrieval["images"] as? Int == 3 && retrieval["captions"] as? Int == 6)
      for key in [
        "caption_to_image", "image_to_caption", "image_to_caption_total", "image_to_caption_per_word",
      ] {
        let recall = try #require(retrieval[key] as? [String: Double])
        #expect(
          Set(recall.keys) == ["R@1", "R@5", "R@10", "median_rank"] && (recall["median_rank"] ?? 0) >= 1)
      }
      let sweep = try #require(object["sweep"] as? [[String: Any]])
      #expect(sweep.map { $0["beam_width"] as? Int } == [1, 1, 1, 3, 3, 3])
      #expect(sweep.map { $0["length_normalization"] as? String }.prefix(3) == ["none", "wu:0.7", "average"])
      #expect(sweep[3]["CIDEr"] as? Double == object["CIDEr"] as? Double)
      let data = try Data(contentsOf: URL(fileURLWithPath: place.folder + "/r.json"))
      let rows = try #require(try JSONSerialization.jsonObject(with: data) as? [[String: Any]])
      for (index, row) in rows.enumerated() {
        let candidates = try #require(row["captions"] as? [[String: Any]])
        #expect(candidates.count == 2 && candidates[0]["caption"] as? String == row["caption"] as? String)
        #expect((row["reference_ranks"] as? [Int])?.count == (index < 3 ? 2 : nil))
        let ranks = try #require(row["reference_word_ranks"] as? [[Int]])
        #expect(ranks.count == 2 && ranks.joined().allSatisfy { (1...12).contains($0) })
      }
      let text = try place.start(arguments).outcome()
      #expect(text.lines.contains("retrieval among the first 3 images and their 6 captions"))
      #expect(text.lines.contains { $0.hasPrefix("   3  wu:0.7") })
    }
  }

  @Test func reportIsWritten() throws {
    try Workplace.with { place in
      let captions = try place.dataset()
      let arguments = ["evaluate", "--captions", captions, "--images", "photos", "--model", place.model]
      let outcome = try place.start(arguments + ["--report", "page.html"]).outcome()
      #expect(outcome.status == 0 && outcome.complaints.isEmpty)
      let html = try String(contentsOfFile: place.folder + "/page.html", encoding: .utf8)
      #expect(html.hasPrefix("<!doctype html>") && html.contains("model.safetensors on captions.json"))
      let failed = try place.start(arguments + ["--report", "nowhere/page.html"]).outcome()
      #expect(failed.status == 1)
      #expect(
        failed.complaints.last == "captioner: nowhere/page.html: can't write: No such file or directory")
    }
  }

  @Test func calibrationNeedsEnoughImages() throws {
    try Workplace.with { place in
      let outcome = try place.run(
        "evaluate", "--captions", try place.dataset(), "--images", "photos", "--model", place.model,
        "--calibrate", "c.safetensors")
      #expect(outcome.status == 1 && outcome.output == "")
      #expect(outcome.complaints.last?.contains("--calibrate: expected at least 10 captions") == true)
      #expect(!FileManager.default.fileExists(atPath: place.folder + "/c.safetensors"))
    }
  }

  /// As if the other file were not there: CIDEr's document frequencies too.
  @Test func eachOfSeveralFilesIsJudgedByItself() throws {
    try Workplace.with { place in
      _ = try place.dataset()
      let made = try PrintedImage.lines(
        place.run("caption", "photos", "--model", place.model, "--format", "json"))
      func file(_ name: String, _ range: Range<Int>) throws -> String {
        let images = range.map { #"{"id": \#($0), "file_name": "\#(made[$0].image.dropFirst(7))"}"# }
        let annotations = try range.map {
          let caption = try #require(made[$0].captions?[0].caption)
          return #"{"image_id": \#($0), "caption": "\#(caption) \#($0 % 3 == 0 ? "snow" : "")"}"#
        }
        return try place.file(
          name,
          #"{"images": [\#(images.joined(separator: ","))], "#
            + #""annotations": [\#(annotations.joined(separator: ","))]}"#)
      }
      let (first, second) = (try file("first.json", 0..<3), try file("second.json", 3..<8))
      let both = [
        "evaluate", "--captions", first, "--captions", second, "--images", "photos", "--model", place.model,
      ]
      let object = try scores(place.start(both + ["--format", "json"]).outcome())
      let sources = try #require(object["sources"] as? [[String: Any]])
      #expect(sources.map { $0["captions"] as? String } == [first, second])
      for (path, source) in zip([first, second], sources) {
        let alone = try scores(
          place.run(
            "evaluate", "--captions", path, "--images", "photos", "--model", place.model, "--format", "json"))
        #expect(alone["sources"] == nil)
        for name in ["images", "Bleu_1", "Bleu_4", "ROUGE_L", "CIDEr"] {
          #expect(source[name] as? Double == alone[name] as? Double, "\(name)")
        }
      }
      let text = try place.start(both).outcome()
      #expect(text.lines.contains { $0.hasPrefix("       3 ") && $0.hasSuffix("/first.json") })
      #expect(text.lines.contains { $0.hasPrefix("       5 ") && $0.hasSuffix("/second.json") })
    }
  }

  /// Photos enough, half of whose references are what the model says.
  @Test func aCalibratedModelTellsItsConfidence() throws {
    try Workplace.with { place in
      let base = try place.dataset()
      let made = try PrintedImage.lines(
        place.run("caption", "photos", "--model", place.model, "--format", "json"))
      let (photos, captions) = (made.map(\.image), made.map { $0.captions?[0].caption ?? "" })
      var (images, annotations): ([String], [String]) = ([], [])
      for number in 0..<32 {
        images.append(#"{"id": \#(number), "file_name": "\#(photos[number % 8].dropFirst(7))"}"#)
        let text = number % 2 == 0 ? captions[number % 8] + " x" : "zebra number\(number)"
        annotations.append(#"{"image_id": \#(number), "caption": "\#(text)"}"#)
      }
      let json =
        #"{"images": [\#(images.joined(separator: ","))], "annotations": [\#(annotations.joined(separator: ","))]}"#
      _ = base
      let many = try place.file("many.json", json)
      let outcome = try place.run(
        "evaluate", "--captions", many, "--images", "photos", "--model", place.model, "--calibrate",
        "c.safetensors", "--format", "json", "--confidence-threshold", "0.1")
      let object = try scores(outcome)
      #expect(object["confidence_base_rate"] as? Double == 0.5 && object["confidence_ECE"] is Double)
      let caption = try place.run(
        "caption", "photos/1.jpg", "--model", "c.safetensors", "--format", "json")
      let first = try #require((try scores(caption)["captions"] as? [[String: Any]])?.first)
      let confidence = try #require(first["confidence"] as? Double)
      #expect((0...1).contains(confidence))
      let text = try place.run("score", "photos/1.jpg", "a dog", "--model", "c.safetensors")
      #expect(text.lines[0].wholeMatch(of: /a dog  \(log-prob -\d+\.\d\d\)/) != nil)
      #expect(text.lines[2].wholeMatch(of: /\s\s\d\.\d\d confidence/) != nil)
      // From now on the model's own confidence is judged.
      let again = try place.run(
        "evaluate", "--captions", many, "--images", "photos", "--model", "c.safetensors")
      #expect(
        again.lines.contains { $0.hasPrefix("confidence that CIDEr is at least 10.0 %, the model's: ") })
      let other = try place.run(
        "evaluate", "--captions", many, "--images", "photos", "--model", "c.safetensors",
        "--confidence-threshold", "0.1")
      #expect(other.status == 64 && other.output == "")
      #expect(
        other.complaints.first
          == "captioner: --confidence-threshold: only with --calibrate: c.safetensors has a confidence, with its own "
          + "threshold")
    }
  }

  @Test func runnersUpAreScored() throws {
    try Workplace.with { place in
      let photo = try place.photo("decode/png-rgb.png", as: "photo.png")
      let object = try scores(
        place.run("score", photo, "a dog", "--model", place.model, "--runner-ups", "2", "--format", "json"))
      let caption = try #require((object["captions"] as? [[String: Any]])?.first)
      let words = try #require(caption["words"] as? [[String: Any]])
      for word in words {
        let others = try #require(word["runners_up"] as? [[String: Any]])
        #expect(others.count == 2 && (1...12).contains(word["rank"] as? Int ?? 0))
        #expect(!others.contains { $0["word"] as? String == word["word"] as? String })
      }
      let logProbs = words.compactMap { $0["log_prob"] as? Double }
      let normalized = try #require(caption["normalized_log_prob"] as? Double)
      #expect(abs(normalized - logProbs.reduce(0, +) / 3) < 1e-5)
      let text = try place.run("score", photo, "a dog", "--model", place.model, "--runner-ups", "1")
      #expect(text.lines.count == 5 && text.lines[2].contains("  | "))
    }
  }

  @Test(
    arguments: [
      ["--n-best", "0"], ["--results", "r", "--n-best", "4"],
      ["--retrieval", "--retrieval-images", "0"], ["--sweep-beam-widths", "1,,2"],
      ["--sweep-beam-widths", "0"], ["--sweep-length-normalizations", "wu:-1"],
      ["--sweep-length-normalizations", "some"], ["--confidence-threshold", "0"],
      ["--confidence-threshold", "nan"],
    ])
  func badOptionsAreUsage(arguments: [String]) throws {
    try Workplace.with { place in
      let outcome = try place.start(
        ["evaluate", "--captions", "c", "--images", "i", "--model", place.model] + arguments
      ).outcome()
      #expect(outcome.status == 64 && outcome.output == "")
    }
  }

  /// An option that would change nothing is refused by name, with the one that it does not go with.
  @Test(
    arguments: [
      (["--sample", "--beam-width", "3"], "--beam-width: only without --sample, which does not search"),
      (
        ["--sample", "--length-normalization", "none"],
        "--length-normalization: only without --sample, whose captions are not ranked"
      ),
      (
        ["--sample", "--sweep-beam-widths", "1,3"],
        "--sweep-beam-widths: only without --sample, which does not search"
      ),
      (
        ["--sample", "--sweep-length-normalizations", "none"],
        "--sweep-length-normalizations: only without --sample, whose captions are not ranked"
      ),
      (["--sample", "--n-best", "101"], "--n-best: expected 1 to 100 with --sample, found 101"),
      (["--temperature", "2"], "--temperature: only with --sample"),
      (["--top-k", "2"], "--top-k: only with --sample"), (["--top-p", "0.5"], "--top-p: only with --sample"),
      (["--seed", "2"], "--seed: only with --sample"),
      (["--length-penalty", "1"], "--length-penalty: only with --length-normalization wu"),
      (["--n-best", "2"], "--n-best: only with --results, --report or --sample"),
      (["--retrieval-images", "9"], "--retrieval-images: only with --retrieval"),
    ]) func optionsThatWouldChangeNothingAreRefused(options: [String], message: String) throws
  {
    try Workplace.with { place in
      let outcome = try place.start(
        ["evaluate", "--captions", "c", "--images", "i", "--model", place.model] + options
      ).outcome()
      #expect(outcome.status == 64 && outcome.output == "")
      #expect(outcome.complaints.first == "Error: " + message)
    }
  }

  /// More captions can be drawn than a beam is wide; the likeliest counts.
  @Test func drawnCaptionsAreManyToo() throws {
    struct Row: Decodable {
      struct Candidate: Decodable { let log_prob: Double }
      let log_prob: Double
      let captions: [Candidate]
    }
    try Workplace.with { place in
      let outcome = try place.run(
        "evaluate", "--captions", try place.dataset(), "--images", "photos", "--model", place.model,
        "--sample", "--n-best", "7", "--results", "r.json", "--format", "json")
      _ = try scores(outcome)
      let data = try Data(contentsOf: URL(fileURLWithPath: place.folder + "/r.json"))
      let rows = try JSONDecoder().decode([Row].self, from: data)
      #expect(rows.count == 8 && rows.allSatisfy { $0.captions.count == 7 })
      #expect(rows.allSatisfy { row in row.captions.allSatisfy { $0.log_prob <= row.log_prob } })
    }
  }
}
