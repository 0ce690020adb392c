import Foundation
import TestSupport
import Testing

@Suite struct DecodingOptionsTests {
  /// What `caption` prints of the photos with some options.
  private func captions(_ place: Workplace, _ options: [String]) throws -> [[PrintedCaption]] {
    let outcome = try place.start(
      ["caption", "photos", "--model", place.model, "--format", "json"] + options
    ).outcome()
    #expect(outcome.status == 0, "\(options): \(outcome.errors)")
    let found = try PrintedImage.lines(outcome).map { try #require($0.captions) }
    #expect(found.count == 4 && !found.contains(where: \.isEmpty))
    for caption in found.joined() { #expect(caption.isSound, "\(options) \(caption)") }
    return found
  }

  private func withPhotos(_ body: (Workplace) throws -> Void) throws {
    try Workplace.with { place in
      for number in [1, 4, 6] {
        try place.photo("decode/jpeg-orientation-\(number).jpg", as: "photos/\(number).jpg")
      }
      try place.photo("resize/160x120.png", as: "photos/9.png")
      try body(place)
    }
  }

  @Test func captionsKeepTheRules() throws {
    try withPhotos { place in
      func words(_ options: String...) throws -> [[String]] {
        let found = try captions(place, options)
        #expect(found.map(\.count) == [1, 1, 1, 1])
        return found.map { $0[0].caption.split(separator: " ").map(String.init) }
      }
      for found in try words("--force", "snow", "--force", "Cat sits", "--max-length", "6") {
        #expect(["snow", "cat", "sits"].allSatisfy(found.contains) && found.count <= 6)
      }
      for found in try words("--forbid", "a", "--forbid", "the dog", "--min-length", "5") {
        #expect(!found.contains { ["a", "the", "dog"].contains($0) } && found.count >= 5)
      }
      for found in try words("--prefix", "The dog", "--max-length", "4") {
        #expect(found.starts(with: ["the", "dog"]) && found.count <= 4)
      }
      for found in try words("--no-repeat-ngram", "1", "--min-length", "8", "--max-length", "8") {
        #expect(Set(found).count == 8)
      }
      for found in try words(
        "--sample", "--seed", "5", "--prefix", "snow", "--forbid", "in", "--min-length", "3")
      {
        #expect(found.first == "snow" && !found.contains("in") && found.count >= 3)
      }
    }
  }

  /// With a normalisation captions are ranked by its scores, and the log-probs that are printed stay what they are.
  @Test func lengthNormalizationRanks() throws {
    try withPhotos { place in
      func found(_ more: String...) throws -> [[PrintedCaption]] {
        try captions(place, ["--beam-width", "64", "--captions", "64", "--max-length", "8"] + more)
      }
      func isSorted(_ captions: [PrintedCaption], _ score: (PrintedCaption) -> Double) -> Bool {
        zip(captions, captions.dropFirst()).allSatisfy { score($0) >= score($1) - 1e-5 }
      }
      let average = try found("--length-normalization", "average")
      #expect(average.allSatisfy { isSorted($0) { $0.log_prob / Double($0.words.count) } })
      #expect(try average.map { $0[0].caption } != found().map { $0[0].caption })
      let wu = try found("--length-normalization", "wu", "--length-penalty", "2")
      #expect(wu.allSatisfy { isSorted($0) { $0.log_prob / pow(Double(5 + $0.words.count) / 6, 2) } })
      #expect(
        try found("--length-normalization", "wu", "--length-penalty", "0").map { $0.map(\.caption) }
          == found().map { $0.map(\.caption) })
    }
  }

  @Test func samplesFollowTheSeed() throws {
    try withPhotos { place in
      func found(_ more: String...) throws -> [[PrintedCaption]] {
        try captions(place, ["--sample", "--temperature", "1.5", "--max-length", "8", "--seed"] + more)
      }
      func texts(_ captions: [[PrintedCaption]]) -> [[String]] { captions.map { $0.map(\.caption) } }
      let one = try found("1", "--captions", "5", "--threads", "1")
      #expect(one.allSatisfy { $0.count == 5 })
      #expect(try texts(found("1", "--captions", "5", "--threads", "3")) == texts(one))
      #expect(try texts(found("2", "--captions", "5")) != texts(one))
      // As likely as `score` says, and greedy among one word.
      let sampled = try #require(one[3].first { !$0.caption.isEmpty })
      let scored = try PrintedImage.lines(
        place.run("score", "photos/9.png", sampled.caption, "--model", place.model, "--format", "json"))
      #expect(abs(try #require(scored[0].captions?.first).log_prob - sampled.log_prob) < 1e-4)
      #expect(
        try texts(captions(place, ["--sample", "--top-k", "1"]))
          == texts(captions(place, ["--beam-width", "1"])))
    }
  }

  /// `evaluate` finds what `caption` finds with the same options.
  @Test func evaluateTakesThem() throws {
    struct Row: Decodable { let caption: String }
    try Workplace.with { place in
      let dataset = try place.dataset()
      for options in [
        ["--force", "snow", "--min-length", "4", "--length-normalization", "average"],
        ["--sample", "--top-k", "1", "--prefix", "a dog"], ["--no-repeat-ngram", "2", "--forbid", "the"],
      ] {
        let outcome = try place.start(
          [
            "evaluate", "--captions", dataset, "--images", "photos", "--model", place.model, "--results",
            "results.json",
          ] + options
        ).outcome()
        #expect(outcome.status == 0, "\(outcome.errors)")
        let data = try Data(contentsOf: URL(fileURLWithPath: place.folder + "/results.json"))
        let captioned = try PrintedImage.lines(
          place.start(["caption", "photos", "--model", place.model, "--format", "json"] + options).outcome())
        #expect(
          try JSONDecoder().decode([Row].self, from: data).map(\.caption)
            == captioned.map { $0.captions?.first?.caption })
      }
    }
  }

  @Test(
    arguments: [
      (["--force", "zebra"], "--force: \"zebra\" is not in the model's vocabulary"),
      (["--forbid", "dog", "--forbid", "Zebra"], "--forbid: \"zebra\" is not in the model's vocabulary"),
      (["--prefix", "a zebra"], "--prefix: \"zebra\" is not in the model's vocabulary"),
      (["--force", ""], "--force: \"\" is not in the model's vocabulary"),
      (["--force", "dog", "--forbid", "dog"], "--force: \"dog\" is both forced and forbidden"),
      (["--prefix", "a dog", "--forbid", "dog"], "--prefix: \"dog\" is in the prefix and forbidden"),
      (
        ["--prefix", "a dog runs", "--max-length", "2"],
        "--max-length: prefix and forced words: expected at most 2 words, the maximal length, found 3"
      ),
      (
        ["--prefix", "a a", "--no-repeat-ngram", "1"],
        "--prefix: the prefix repeats \"a\", which no caption may"
      ),
      (
        ["--no-repeat-ngram", "1", "--min-length", "9"],
        "--min-length: a caption of at least 9 words: only 8 may be spoken"
      ),
      (["--min-length", "21"], "--min-length: expected 0 to the --max-length 20, found 21"),
      (["--min-length", "-1"], nil), (["--no-repeat-ngram", "-1"], nil),
      (["--length-normalization", "x"], nil),
      (["--length-penalty", "1"], "--length-penalty: only with --length-normalization wu"),
      (
        ["--length-normalization", "wu", "--length-penalty", "nan"],
        "--length-penalty: expected 0 to 10, found nan"
      ),
      (["--top-k", "3"], "--top-k: only with --sample"), (["--seed", "3"], "--seed: only with --sample"),
      (["--sample", "--temperature", "0"], "--temperature: expected 0.001 to 1000, found 0.0"),
      (["--sample", "--temperature", "nan"], "--temperature: expected 0.001 to 1000, found nan"),
      (["--sample", "--top-k", "0"], "--top-k: expected 1 or more, found 0"),
      (["--sample", "--top-p", "0"], "--top-p: expected more than 0, at most 1, found 0.0"),
      (["--sample", "--seed", "-1"], nil),
      (["--temperature", "2"], "--temperature: only with --sample"),
      (["--top-p", "0.5"], "--top-p: only with --sample"),
      (["--sample", "--beam-width", "1"], "--beam-width: only without --sample, which does not search"),
      (
        ["--sample", "--length-normalization", "none"],
        "--length-normalization: only without --sample, whose captions are not ranked"
      ),
      (["--sample", "--force", "dog"], "--force: only without --sample, which does not look ahead"),
      (["--sample", "--captions", "101"], "--captions: expected 1 to 100 with --sample, found 101"),
    ] as [([String], String?)]) func wrongUseIsToldApart(options: [String], message: String?) throws
  {
    try Workplace.with { place in
      try place.photo("decode/png-rgb.png", as: "photo.png")
      let outcome = try place.start(["caption", "photo.png", "--model", place.model] + options).outcome()
      #expect(outcome.status == 64 && outcome.output == "", "\(options): \(outcome.errors)")
      // What only the model can tell is one line.
      if let message {
        #expect(["Error: " + message, "captioner: " + message].contains(outcome.complaints.first))
      }
    }
  }
}
