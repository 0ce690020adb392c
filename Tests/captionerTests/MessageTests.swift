import Foundation
import TestSupport
import Testing

/// What the command line says of what was typed.
@Suite struct MessageTests {
  private func lines(_ text: String) -> [String] { text.split(separator: "\n").map(String.init) }

  /// Text that people read fits a terminal of 80 columns, the examples too.
  @Test(arguments: [
    "caption", "score", "train", "evaluate", "features", "vocabulary", "metrics", "average", "inspect",
    "convert",
  ])
  func helpFitsEightyColumns(command: String) throws {
    try Workplace.with { place in
      let help = try place.run(command, "--help", environment: ["COLUMNS": "80"])
      let wide = help.lines.filter { $0.count > 80 }
      #expect(help.status == 0 && wide == [])
    }
  }

  @Test func usualOptionsOfTrainComeFirst() throws {
    try Workplace.with { place in
      let usual = try place.run("train", "--help").output
      let all = try place.run("train", "--help-hidden").output
      #expect(usual.contains("--learning-rate") && !usual.contains("--sampling-coin"))
      #expect(all.contains("--sampling-coin") && usual.contains("--help-hidden"))
    }
  }

  /// What does not exist is told before what is missing.
  @Test(arguments: [
    (["train", "--capitons", "x"], "Unknown option '--capitons'. Did you mean '--captions'?"),
    (["evaluate", "--image", "x"], "Unknown option '--image'. Did you mean '--images'?"),
    (["features", "a.jpg", "--ouput=x"], "Unknown option '--ouput'. Did you mean '--output'?"),
    (["metrics", "--result", "x"], "Unknown option '--result'. Did you mean '--results'?"),
    (["capiton", "x.jpg"], "Unknown command 'capiton'. Did you mean 'caption'?"),
    (["photo.jpg"], "Unknown command 'photo.jpg'; there are caption, alt, score, "),
  ])
  func theNearestNameIsTold(arguments: [String], message: String) throws {
    try Workplace.with { place in
      let outcome = try place.start(arguments).outcome()
      #expect(outcome.status == 64 && outcome.errors.hasPrefix("Error: " + message), "\(outcome.errors)")
      #expect(lines(outcome.errors).allSatisfy { $0.count <= 80 || $0.hasPrefix("Error: ") })
    }
  }

  /// The command line is wrong where only the model could tell: one line, exit status 64.
  @Test func wrongWordsAreUsageErrors() throws {
    try Workplace.with { place in
      let photo = try place.photo("decode/jpeg-444.jpg", as: "a.jpg")
      for option in ["--prefix", "--force", "--forbid"] {
        let outcome = try place.run("caption", photo, "--model", place.model, option, "zzzz")
        #expect(outcome.status == 64 && outcome.complaints.count == 1, "\(outcome.errors)")
        #expect(outcome.errors.hasPrefix("captioner: \(option): \"zzzz\" is not in the model's vocabulary"))
      }
    }
  }

  @Test func captionedAndFailedAreCountedApart() throws {
    try Workplace.with { place in
      try place.photo("decode/jpeg-444.jpg", as: "d/a.jpg")
      try place.photo("decode/jpeg-444.jpg", as: "d/b.jpg")
      try place.file("d/c.jpg", "no picture")
      let outcome = try place.run("caption", "d", "--model", place.model)
      #expect(outcome.status == 1 && outcome.lines.count == 2)
      #expect(outcome.complaints.last == "2 captioned, 1 failed", "\(outcome.errors)")
    }
  }

  /// Whatever `caption` prints, `score` scores: nothing at all too.
  @Test(arguments: ["", "...", " "]) func captionsWithoutWordsAreScored(caption: String) throws {
    try Workplace.with { place in
      let photo = try place.photo("decode/jpeg-444.jpg", as: "a.jpg")
      let outcome = try place.run("score", photo, caption, "--model", place.model, "--format", "json")
      let captions = try #require(try outcome.objects()[0]["captions"] as? [[String: Any]])
      #expect(outcome.status == 0 && captions.count == 1 && captions[0]["caption"] as? String == "")
      #expect((captions[0]["words"] as? [Any])?.count == 1 && outcome.complaints.count == 1)
    }
  }

  /// No space after a colon or comma anywhere.
  @Test func jsonIsSpacedAlike() throws {
    try Workplace.with { place in
      let photo = try place.photo("decode/jpeg-444.jpg", as: "a.jpg")
      try place.file(
        "refs.json", #"[{"image_id": 1, "caption": "a dog"}, {"image_id": 2, "caption": "a cat"}]"#)
      for arguments in [
        ["caption", photo, "missing.jpg", "--format", "json", "--model", place.model],
        ["score", photo, "a dog", "--format", "json", "--model", place.model],
        ["metrics", "--references", "refs.json", "--results", "refs.json", "--format", "json"],
        ["inspect", place.model, "--format", "json"],
      ] {
        let output = try place.start(arguments).outcome().output
        #expect(
          output.hasPrefix("{\"") && output.firstMatch(of: /"[:,] "/) == nil,
          "\(arguments) \(output.prefix(300))")
      }
    }
  }

  /// Chinese captions are compared character by character, and so much is said.
  @Test func departuresFromPycocoevalcapAreTold() throws {
    try Workplace.with { place in
      try place.file("r.txt", "一只狗在跑\n两个人\n")
      try place.file("s.txt", "一只狗在走\n两个人\n")
      let outcome = try place.run(
        "metrics", "--references", "r.txt", "--results", "s.txt", "--format", "json")
      let scores = try outcome.objects()[0]
      #expect(
        abs((scores["Bleu_1"] as? Double ?? 0) - 7.0 / 8) < 1e-6 && outcome.errors.contains("pycocoevalcap"))
      let coco = try place.run(
        "metrics", "--references", "r.txt", "--results", "s.txt", "--format", "json", "--tokenizer", "coco")
      #expect(abs((try coco.objects()[0]["Bleu_1"] as? Double ?? 0) - 0.5) < 1e-6 && coco.complaints.isEmpty)
      try place.file("n.txt", "un cafe\u{301}\ndeux\n")
      let decomposed = try place.run("metrics", "--references", "n.txt", "--results", "n.txt")
      #expect(decomposed.status == 0 && decomposed.errors.contains("NFD"))
    }
  }
}
