import Foundation
import Tensors
import TestSupport
import Testing

/// The commands on features that another program's encoder made.
@Suite struct GivenFeaturesCommandTests {
  private static let sizes = [
    "--embedding-size", "8", "--hidden-size", "16", "--feature-size", "12", "--min-count", "1",
    "--batch-size", "3",
    "--learning-rate", "0.02", "--epochs", "6", "--warm-up", "0", "--validation-metric", "perplexity",
  ]

  /// Model and log of a run, without times.
  private func log(_ place: Workplace, _ run: String) throws -> String {
    try String(contentsOfFile: "\(place.folder)/\(run)/log.jsonl", encoding: .utf8)
      .replacing(/,"seconds":[^,}]*/, with: "").replacing("photos\\/", with: "").replacing(
        "photos/", with: "")
  }

  /// Features that `captioner features` wrote teach the same as the photos they were made of, to the bit.
  @Test func areAsGoodAsThePhotos() throws {
    try Workplace.with { place in
      let captions = try place.dataset()
      let written = try place.run(
        "features", "photos", "--encoder", place.model, "--tap", "map2x2", "--output", "f.safetensors")
      #expect(written.status == 0)
      let common = ["train", "--captions", captions, "--validation-captions", captions] + Self.sizes
      let photos = try place.start(
        common + [
          "--images", "photos", "--encoder", place.model, "--start", "none", "--views", "1", "--output", "a",
        ]
      ).outcome()
      #expect(photos.status == 0, "\(photos.errors)")
      let given = try place.start(
        common + ["--features", "f.safetensors", "--features-name", "tiny VGG", "--output", "b"]
      ).outcome()
      #expect(given.status == 0, "\(given.errors)")
      let (ours, theirs) = (try log(place, "a"), try log(place, "b"))
      #expect(ours == theirs && ours.contains("validation"))
      let models = try ["a", "b"].map { try SafetensorsFile(path: "\(place.folder)/\($0)/model.safetensors") }
      let names = models[1].entries.keys.sorted()
      #expect(names.contains("encoder.classifier.0.weight") && names.contains { $0.hasPrefix("decoder.") })
      for name in names {
        #expect(try models[0].tensor(named: name) == models[1].tensor(named: name), "\(name)")
      }
      #expect(
        models[0].entries.keys.filter { !names.contains($0) }.allSatisfy { $0.hasPrefix("encoder.features.") }
      )
      // Both say the same of a photo.
      let said = try place.run("caption", "photos/3.jpg", "--model", "a/model.safetensors")
      let same = try place.run(
        "caption", "--features", "f.safetensors", "3.jpg", "--model", "b/model.safetensors")
      #expect(said.status == 0 && said.output == same.output && same.complaints.isEmpty)
    }
  }

  /// A model on them, and every command that opens one.
  @Test func everyCommandKnowsThem() throws {
    try Workplace.with { place in
      let captions = try place.dataset()
      let names = (1...8).map { "\"\($0)\"" }.joined(separator: ",")
      var numbers = [Float](repeating: 0.1, count: 64)
      for image in 0..<8 { numbers[image * 9] = 2 }
      func write(_ name: String, _ shape: Shape, _ names: String) throws {
        try SafetensorsWriter.write(
          [.init(name: "features", tensor: Tensor(numbers, shape))], metadata: ["ids": "[\(names)]"],
          to: "\(place.folder)/\(name)")
      }
      try write("f", [8, 8], names)
      try write("wide", [4, 16], "1,2,3,4")
      let check = try place.start(
        [
          "train", "--check", "--captions", captions, "--validation-captions", captions, "--features", "f",
          "--output",
          "run",
        ] + Self.sizes
      ).outcome()
      #expect(check.status == 0, "\(check.errors)")
      let trained = try place.start(
        [
          "train", "--captions", captions, "--validation-captions", captions, "--features", "f", "--output",
          "run",
          "--features-name", "CLIP\u{1B}?", "--head", "none",
        ] + Self.sizes
      ).outcome()
      #expect(trained.status == 64 && trained.errors.contains("--features-name: expected "))
      let good = try place.start(
        [
          "train", "--captions", captions, "--validation-captions", captions, "--features", "f", "--output",
          "run",
          "--features-name", "CLIP", "--head", "none",
        ] + Self.sizes
      ).outcome()
      #expect(good.status == 0, "\(good.errors)")
      let model = ["--model", "run/model.safetensors"]

      let all = try place.start(["caption", "--features", "f"] + model).outcome()
      #expect(all.status == 0 && all.lines.count == 8 && all.lines[2].hasPrefix("3: "), "\(all.errors)")
      let some = try place.start(
        ["caption", "--features", "f", "5.jpg", "nobody", "--format", "json"] + model
      ).outcome()
      let lines = try PrintedImage.lines(some)
      #expect(
        some.status == 1 && lines.map(\.image) == ["5.jpg", "nobody"] && lines[0].captions?[0].isSound == true
      )
      #expect(lines[1].error == "f: expected features of nobody, found none")
      #expect(some.errors.contains("captioner: f: expected features of nobody, found none"))

      let scored = try place.start(
        ["score", "--features", "f", "5", "a dog runs", "--format", "json"] + model
      ).outcome()
      #expect(scored.status == 0)
      let typed = try JSONDecoder().decode(PrintedImage.self, from: Data(scored.output.utf8))
      #expect(typed.captions?[0].isSound == true)
      let file = try place.start(
        ["score", "--features", "f", "--captions", captions, "--format", "json"] + model
      ).outcome()
      let scores = try PrintedImage.lines(file)
      #expect(file.status == 0 && scores.map(\.image) == (1...8).map { "\($0).jpg" })
      #expect(scores.allSatisfy { $0.captions?.count == 2 && $0.captions?[0].isSound == true })

      let evaluated = try place.start(
        ["evaluate", "--captions", captions, "--features", "f", "--format", "json", "--report", "page.html"]
          + model
      ).outcome()
      #expect(evaluated.status == 0 && evaluated.output.contains("\"CIDEr\""), "\(evaluated.errors)")

      let inspected = try place.start(["inspect", "run/model.safetensors"]).outcome()
      #expect(inspected.output.contains("encoder: features of CLIP, 8 numbers an image, head none, v of 8\n"))
      #expect(!inspected.output.contains("input: "))
      #expect(try place.start(["doctor", "run/model.safetensors"]).outcome().status == 0)
      #expect(try place.start(["doctor", "run"]).outcome().status == 0)
      let averaged = try place.start(
        ["average", "run/model.safetensors", "run/model.safetensors", "--output", "mean"]
      ).outcome()
      #expect(averaged.status == 0, "\(averaged.errors)")

      let wanted =
        "found one of features of CLIP, 8 numbers an image; caption, score and evaluate take them with --features FILE"
      for arguments in [
        ["caption", "photos/1.jpg"] + model, ["score", "photos/1.jpg", "a dog"] + model,
        ["serve", "--port", "0"] + model,
        ["evaluate", "--captions", captions, "--images", "photos"] + model,
      ] {
        let refused = try place.start(arguments).outcome()
        #expect(refused.status == 1 && refused.complaints.count == 1, "\(arguments): \(refused.errors)")
        #expect(refused.errors.contains(wanted), "\(refused.errors)")
      }
      for (arguments, status, complaint) in [
        (
          ["caption", "--features", "wide"] + model, 1 as Int32,
          "wide: expected features of CLIP, 8 numbers an image"
        ),
        (["caption", "--features", "f", "--model", place.model], 1, "expected a model of given features"),
        (["caption", "--features", "none"] + model, 1, "none: can't open: "),
        (["caption", "--features", "f", "--write", "txt"] + model, 64, "--write: only of photos"),
        (
          ["evaluate", "--captions", captions] + model, 64,
          "Missing expected argument '--images <folder> ...'"
        ),
        (
          ["evaluate", "--captions", captions, "--features", "wide"] + model, 1,
          "wide: expected features of CLIP"
        ),
        (["score", "--captions", captions] + model, 64, "--captions: only with --features"),
        (["score"] + model, 64, "Missing expected argument '<image>'"),
        (
          ["train", "--captions", captions, "--features", "f", "--encoder", place.model, "--output", "x"], 64,
          "--encoder: "
        ),
        (
          ["train", "--captions", captions, "--features", "f", "--views", "2", "--output", "x"], 64,
          "--views: has an effect"
        ),
        (
          ["train", "--captions", captions, "--images", "photos", "--features-name", "x", "--output", "x"],
          64, "with --features"
        ),
        (
          [
            "train", "--captions", captions, "--validation-captions", captions, "--features", "wide",
            "--output", "x",
          ], 1,
          "wide: expected features of 8 images, found none of 4 of them, the first 5.jpg: "
        ),
      ] {
        let refused = try place.start(arguments).outcome()
        #expect(refused.status == status, "\(arguments): \(refused.errors)")
        #expect(refused.errors.contains(complaint), "\(arguments): \(refused.errors)")
      }
      #expect(try place.leftovers() == [])
    }
  }
}
