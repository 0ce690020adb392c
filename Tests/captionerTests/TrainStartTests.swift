import Foundation
import Tensors
import TestSupport
import Testing

/// What a run begins from.
@Suite struct TrainStartTests {
  /// Its way of looking is the run's too, unless another is asked for, and the scale of regions goes with the weights.
  @Test func aModelThatAttendsIsFollowed() throws {
    try TrainingPlace.with { test in
      let attention = ["--conditioning", "attention", "--region-size", "6", "--attention-gate"]
      let first = try test.run(test.arguments("first", attention + ["--epochs", "1", "--views", "1"]))
      #expect(first.status == 0, "\(first.errors)")
      // Fewer photos, whose regions have another scale of their own.
      let second = try test.run([
        "train", "--captions", test.captions, "--images", "photos", "--validation-share", "0.6",
        "--encoder", test.place.model, "--start", "first/model.safetensors", "--min-count", "1",
        "--epochs", "1", "--output", "second",
      ])
      #expect(second.status == 0, "\(second.errors)")
      func architecture(_ run: String) throws -> String? {
        try SafetensorsFile(path: "\(test.place.folder)/\(run)/model.safetensors").metadata["architecture"]
      }
      let described = try #require(try architecture("first"))
      #expect(described.contains("\"value_size\":6") && described.contains("\"gated\":true"))
      #expect(try architecture("second") == described)
    }
  }

  /// From a model on, which a later sitting does not need any more.
  @Test func aRunCanBeginFromAModel() throws {
    try TrainingPlace.with { test in
      let folder = test.place.folder
      func perplexity(_ outcome: CaptionerProcess.Outcome) throws -> Double {
        #expect(outcome.status == 0, "\(outcome.errors)")
        return try #require(outcome.complaints.last?.split(separator: " ").last.flatMap { Double($0) })
      }
      let first = try perplexity(test.run(test.arguments("first")))
      let second = test.arguments(
        "second", "--start", "first/model.safetensors", "--epochs", "1", "--learning-rate", "1e-9",
        "--average-decay", "0")
      #expect(abs(try perplexity(test.run(second)) - first) < 0.02)
      try FileManager.default.removeItem(atPath: folder + "/first")
      #expect(try test.run(["train", "--resume", "--output", "second", "--epochs", "2"]).status == 0)
      let other = try test.run(test.arguments("third", "--start", "captions.json"))
      #expect(other.status == 1 && other.errors.contains("captions.json: not a safetensors file"))
      // Before any feature is computed.
      #expect(!FileManager.default.fileExists(atPath: folder + "/third"))
    }
  }

  /// From a model with other words: those that both know are kept. Sizes that are not given are the model's, and so are the
  /// convolutions and how pixels become their input.
  @Test func aRunCanBeginFromAModelWithOtherWords() throws {
    try TrainingPlace.with { test in
      let arguments = [
        "train", "--captions", test.captions, "--images", "photos", "--validation-captions", test.captions,
        "--start", test.place.model, "--min-count", "1", "--epochs", "2", "--output",
      ]
      let summary =
        "begins from \(test.place.model): kept 8 of 24 words, 16 new (as the mean of its words); taken: head, "
        + "word embedding, recurrent layers, image weights of the decoder, output projection; new: nothing"
      let outcome = try test.run(arguments + ["run"])
      #expect(outcome.status == 0 && outcome.complaints.contains(summary), "\(outcome.errors)")
      let described = try test.place.run("inspect", "run/model.safetensors").output
      #expect(described.contains("32x32") || described.contains("32×32"), "\(described)")
      let checked = try test.run(arguments + ["checked", "--check"])
      #expect(checked.status == 0 && checked.lines.contains(summary), "\(checked.output)")
      let found = try test.run(arguments + ["checked", "--check", "--format", "json"]).objects()
      let json = try #require(found.first)
      #expect((json["start"] as? [String: Any])?["kept_words"] as? Int == 8)
      let wider = try test.run(arguments + ["wider", "--hidden-size", "16"])
      #expect(
        wider.status == 0
          && wider.errors.contains(
            "kept 8 of 24 words, 16 new (as the mean of its words); taken: head, word embedding; new: recurrent"
          ),
        "\(wider.errors)")
    }
  }

  /// Without --encoder the default model's convolutions do; few captions begin from its decoder too, unless told not to.
  @Test func theDefaultModelIsTheEncoder() throws {
    try TrainingPlace.with { test in
      func run(_ arguments: String...) throws -> CaptionerProcess.Outcome {
        try test.place.start(
          [
            "train", "--captions", test.captions, "--images", "photos", "--validation-captions",
            test.captions,
            "--min-count", "1", "--epochs", "1", "--batch-size", "4",
          ] + arguments, environment: ["CAPTIONER_MODEL": test.place.model]
        ).outcome()
      }
      let outcome = try run("--output", "run")
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(outcome.errors.contains("16 captions are few: the run begins from the encoder's own model"))
      #expect(outcome.errors.contains("kept 8 of 24 words"))
      #expect(try test.run(["train", "--resume", "--output", "run", "--epochs", "2"]).status == 0)
      let random = try run("--output", "random", "--start", "none", "--hidden-size", "16")
      #expect(random.status == 0 && !random.errors.contains("begins from"), "\(random.errors)")
      #expect(try test.run(["train", "--resume", "--output", "random", "--epochs", "2"]).status == 0)
    }
  }
}
