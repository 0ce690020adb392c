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
      [
        "--conditioning", "attention", "--injection", "never", "--head", "mean", "--attention-gate",
        "--attention-gate-each", "--attention-comparison", "relu", "--initial-states", "--linear-states",
      ],
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

  /// Every activation and every normalisation of what the head reads, from training to scores: the model file says which,
  /// and is as good as what was validated.
  @Test(
    arguments: [
      (["--activation", "leaky-relu"], "leaky-relu"),
      (["--activation", "prelu", "--head", "compact2"], "prelu"),
      (["--activation", "maxout", "--head", "compact2"], "maxout"),
      (["--activation", "elu", "--feature-normalization", "mean"], "features normalised: mean"),
      (
        ["--activation", "tanh", "--feature-normalization", "standardize"], "features normalised: standardize"
      ),
      (
        ["--activation", "sigmoid", "--feature-normalization", "whiten", "--whitening-components", "1"],
        "sigmoid, features normalised: whiten to 1"
      ),
    ]) func trainsWithEveryHead(options: [String], says: String) throws
  {
    try TrainingPlace.with { test in
      let outcome = try test.run(
        test.arguments("run", ["--views", "1", "--epochs", "8", "--precision", "float32"] + options))
      #expect(outcome.status == 0, "\(outcome.errors)")
      let model = "run/model.safetensors"
      let scores = try test.place.run(
        "evaluate", "--captions", test.captions, "--images", "photos", "--model", model, "--format", "json")
      let perplexity = try #require(try scores.objects()[0]["perplexity"] as? Double)
      let trained = try #require(
        outcome.complaints.last.flatMap { $0.split(separator: " ").last }.flatMap { Double($0) })
      // It is told with two digits.
      #expect(abs(perplexity - trained) < 0.0051 + 1e-4 * trained, "\(perplexity), \(trained)")
      let inspected = try test.place.run("inspect", model)
      let line = try #require(inspected.output.split(separator: "\n").first { $0.hasPrefix("encoder:") })
      #expect(line.hasSuffix(says), "\(line)")
      let doctor = try test.place.run("doctor", model)
      #expect(doctor.status == 0, "\(doctor.output)\(doctor.errors)")
      // A run that begins from it takes the kinds and what was measured from it; so do the features of others.
      let again = try test.run(
        test.arguments(
          "again", ["--start", model, "--epochs", "1", "--views", "1", "--learning-rate", "1e-9"]))
      #expect(again.status == 0 && again.errors.contains("taken: head, "), "\(again.errors)")
      let same = try #require(
        again.complaints.last.flatMap { $0.split(separator: " ").last }.flatMap { Double($0) })
      #expect(abs(same - trained) < 0.02 * trained, "\(same), \(trained)")
      let features = try test.place.run("features", "photos", "--encoder", model, "--output", "v.safetensors")
      #expect(features.status == 0, "\(features.errors)")
      let v = try SafetensorsFile(path: test.place.folder + "/v.safetensors")
      #expect(v.entries["features"]?.shape.dimensions.last == 16)
    }
  }

  /// An encoder with batch normalisation: frozen, learning by the batch, and learning by what it has; each model is good
  /// to caption, to begin from and to learn further.
  @Test(arguments: [
    [], ["--fine-tune-from", "conv2_1"], ["--fine-tune-from", "conv2_1", "--freeze-statistics"],
  ])
  func trainsWithBatchNormalization(options: [String]) throws {
    try TrainingPlace.with { test in
      try TinyNetwork.writeConvolutions(to: test.place.folder + "/bn.safetensors", normalized: true)
      let usual = ["--encoder", "bn.safetensors", "--views", "1", "--epochs", "3"]
      let rate = options.isEmpty ? [] : ["--encoder-learning-rate", "0.01"]
      let outcome = try test.run(test.arguments("run", usual + rate + options))
      #expect(outcome.status == 0, "\(outcome.errors)")
      let model = "run/model.safetensors"
      let inspected = try test.place.run("inspect", model)
      #expect(inspected.output.contains("VGG-style with batch normalisation (4,pool,4,pool)"))
      let file = try SafetensorsFile(path: "\(test.place.folder)/\(model)")
      let begun = TinyNetwork.normalizedConvolutions(prefix: "encoder.")
      let mean = "encoder.features.5.running_mean"
      #expect(file.entries[mean]?.typeName == "F32")
      #expect((try file.tensor(named: mean) == begun[mean]) == (options.count != 2))
      let doctor = try test.place.run("doctor", model, "bn.safetensors")
      #expect(doctor.status == 0, "\(doctor.output)\(doctor.errors)")
      let captioned = try test.place.run("caption", "photos", "--model", model)
      #expect(captioned.status == 0 && !captioned.output.isEmpty, "\(captioned.errors)")
      let further = try test.run(
        test.arguments(
          "further",
          [
            "--encoder", model, "--start", model, "--fine-tune-from", "conv2_1", "--epochs", "1",
            "--freeze-statistics", "--micro-batch", "1",
          ]))
      #expect(further.status == 0 && further.errors.contains("taken: head"), "\(further.errors)")
    }
  }

  /// What does not go together is one line, before anything is computed.
  @Test(
    arguments: [
      (
        ["--micro-batch", "1", "--fine-tune-from", "conv2_1"],
        "--micro-batch: expected 0 or --freeze-statistics"
      ),
      (["--freeze-statistics"], "--freeze-statistics: has an effect only with --fine-tune-from"),
      (
        ["--feature-normalization", "whiten", "--whitening-components", "17"],
        "--whitening-components: expected at most 16"
      ),
      (
        ["--feature-normalization", "whiten", "--whitening-components", "16"],
        "--whitening-components: expected fewer than the"
      ),
      (
        ["--whitening-epsilon", "0.1"], "--whitening-epsilon: has an effect only with --feature-normalization"
      ),
    ]) func refusesWhatDoesNotGoWithTheEncoder(options: [String], says: String) throws
  {
    try TrainingPlace.with { test in
      try TinyNetwork.writeConvolutions(to: test.place.folder + "/bn.safetensors", normalized: true)
      let outcome = try test.run(test.arguments("run", ["--encoder", "bn.safetensors"] + options))
      #expect(outcome.status != 0 && outcome.errors.contains(says), "\(outcome.errors)")
      #expect(!FileManager.default.fileExists(atPath: test.place.folder + "/run/model.safetensors"))
      let plain = try test.run(
        test.arguments("plain", "--fine-tune-from", "conv2_1", "--freeze-statistics"))
      #expect(plain.errors.contains("--freeze-statistics: expected an encoder with batch normalisation"))
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
