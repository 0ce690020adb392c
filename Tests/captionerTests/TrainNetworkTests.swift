import Foundation
import Tensors
import TestSupport
import Testing

/// The networks that `train` makes, by its options.
@Suite struct TrainNetworkTests {
  /// A cell that reads the embedding itself needs it as large as the layer: said before anything is read.
  @Test func refusesSizesThatDoNotGoWithTheCell() throws {
    try TrainingPlace.with { test in
      let sizes = ["--embedding-size", "6", "--hidden-size", "8"]
      let outcome = try test.run(test.arguments("run", ["--cell", "mut1"] + sizes))
      #expect(outcome.status != 0 && outcome.complaints.count == 1)
      #expect(
        outcome.errors.contains("--embedding-size: expected 8") && outcome.errors.contains("mut1"),
        "\(outcome.errors)")
      #expect(!FileManager.default.fileExists(atPath: test.place.folder + "/run"))
    }
  }

  /// Every way in which the image may enter, from training to captions, scores and where the model looks.
  @Test(
    arguments: [
      ["--conditioning", "first-input"],
      ["--conditioning", "attention", "--attention-gate", "--initial-states"],
      ["--conditioning", "hard-attention", "--attention-gate", "--attention-entropy", "0.002"],
      ["--conditioning", "top-down", "--region-grid", "fine"],
      ["--layers", "2", "--image-layer", "2"],
      ["--conditioning", "visual-memory", "--memory-size", "12", "--reconstruction-weight", "0.5"],
      ["--conditioning", "multimodal", "--multimodal-size", "12", "--layers", "2"],
    ]) func trainsWithEveryConditioning(options: [String]) throws
  {
    try TrainingPlace.with { test in
      let outcome = try test.run(test.arguments("run", ["--views", "1"] + options))
      #expect(outcome.status == 0, "\(outcome.errors)")
      let model = "run/model.safetensors"
      let scores = try test.place.run(
        "evaluate", "--captions", test.captions, "--images", "photos", "--model", model, "--format", "json")
      let perplexity = try #require(try scores.objects()[0]["perplexity"] as? Double)
      let trained = try #require(
        outcome.complaints.last.flatMap { $0.split(separator: " ").last }.flatMap { Double($0) })
      // Maps are kept in half precision while training.
      #expect(perplexity < 3 && abs(perplexity - trained) < 0.02 * trained, "\(perplexity), \(trained)")
      let captioned = try test.place.run("caption", "photos", "--model", model, "--explain", "page.html")
      #expect(captioned.status == 0, "\(captioned.errors)")
      let page = try String(contentsOfFile: test.place.folder + "/page.html", encoding: .utf8)
      let attends = !["attention", "hard-attention", "top-down"].filter(options.contains).isEmpty
      #expect(page.contains(attends ? "% at most" : "nats") && page.contains("<rect"))
      let inspected = try test.place.run("inspect", model)
      let line = try #require(inspected.output.split(separator: "\n").first { $0.hasPrefix("decoder:") })
      #expect(attends == line.contains("attention to regions of 4 to 512"), "\(line)")
    }
  }

  @Test func presetsSayWhatTheySet() throws {
    try TrainingPlace.with { test in
      let outcome = try test.run(test.arguments("run", "--preset", "lrcn-2f", "--epochs", "1"))
      #expect(outcome.status == 0)
      #expect(
        outcome.errors.contains("lrcn-2f (Donahue et al. 2015") && outcome.errors.contains("--image-layer 2"))
      let config = try Data(contentsOf: URL(fileURLWithPath: test.place.folder + "/run/config.json"))
      let options = try #require(try JSONSerialization.jsonObject(with: config) as? [String: Any])
      // What is given beside it wins.
      #expect(options["image_layer"] as? Int == 2 && options["hidden_size"] as? Int == 16)
      let unknown = try test.run(test.arguments("other", "--preset", "lrcn"))
      #expect(unknown.status == 64 && unknown.errors.contains("expected show-and-tell, "))
    }
  }

  /// The model's own head is where training starts when its size is asked for; else a new one is.
  @Test(arguments: ["compact", "compact2", "full"]) func anyHeadCanFollow(head: String) throws {
    try TrainingPlace.with { test in
      let outcome = try test.run(test.arguments("run", "--epochs", "1", "--head", head))
      #expect(outcome.status == 0, "\(outcome.errors)")
      let model = try SafetensorsFile(path: test.place.folder + "/run/model.safetensors")
      let inputs = head == "full" ? 196 : 16
      #expect(model.entries["encoder.classifier.0.weight"]?.shape == [16, inputs])
      #expect((model.entries["encoder.classifier.3.weight"] != nil) == (head != "compact"))
    }
  }
}
