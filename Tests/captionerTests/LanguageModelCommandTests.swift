import Foundation
import TestSupport
import Testing

@Suite struct LanguageModelCommandTests {
  private static let text = String(repeating: "func f(x: Int) { x }\n", count: 60)

  /// Trained, looked at, drawn from and scored; not taken for a captioner.
  @Test func fromATextToAText() throws {
    try withTemporaryFolder { folder in
      let place = Workplace(folder: folder)
      try place.file("text.txt", Self.text)
      let trained = try place.run(
        "language-model", "train", "text.txt", "--output", "run", "--hidden-size", "16", "--epochs", "4",
        "--batch-size", "4", "--sequence-length", "16", "--learning-rate", "0.01", "--threads", "2")
      #expect(trained.status == 0 && trained.output == "", "\(trained.errors)")
      #expect(trained.errors.contains("epoch 4, step "))
      let model = "run/model.safetensors"
      let inspected = try place.run("inspect", model)
      #expect(
        inspected.output.contains("language model: LSTM of 16, characters")
          && inspected.output.contains("vocabulary: 15 characters"), "\(inspected.output)")
      let draw = ["language-model", "sample", model, "--length", "40", "--prime", "func ", "--seed", "3"]
      let drawn = try place.start(draw).outcome()
      #expect(drawn.status == 0 && drawn.output.hasPrefix("func ") && drawn.output.count >= 45)
      #expect(try place.start(draw + ["--threads", "1"]).outcome().output == drawn.output)
      let scored = try place.run(
        "language-model", "score", model, "text.txt", "none.txt", "--format", "json")
      #expect(scored.status == 1 && scored.complaints.count == 1)
      let object = try #require(try scored.objects().first)
      #expect(object["count"] as? Int == Self.text.count - 1 && object["unknown"] as? Int == 0)
      #expect(try #require(object["bits_per_character"] as? Double) < 3)
      // Any number of threads gives the same bits.
      let alone = try place.run(
        "language-model", "train", "text.txt", "--output", "alone", "--hidden-size", "16", "--epochs", "4",
        "--batch-size", "4", "--sequence-length", "16", "--learning-rate", "0.01", "--threads", "1")
      #expect(alone.status == 0)
      #expect(
        FileManager.default.contentsEqual(
          atPath: folder + "/" + model, andPath: folder + "/alone/model.safetensors"))
      for refused in [
        ["caption", "x.jpg", "--model", model], ["language-model", "score", "text.txt", "text.txt"],
      ] {
        let outcome = try place.start(refused).outcome()
        #expect(outcome.status == 1 && outcome.complaints.count == 1, "\(outcome.errors)")
      }
      let caption = try place.run("caption", "x.jpg", "--model", model)
      #expect(caption.errors.contains("found captioner language model"))
    }
  }

  /// A run that ended early goes on to what one ends with that did not, from another folder too.
  @Test func goesOnFromWhereItStood() throws {
    try withTemporaryFolder { folder in
      let place = Workplace(folder: folder)
      try place.file("text.txt", Self.text)
      func train(_ more: String...) -> [String] {
        ["language-model", "train", "text.txt", "--hidden-size", "8", "--batch-size", "2"] + more
      }
      #expect(try place.start(train("--output", "whole", "--epochs", "3")).outcome().status == 0)
      #expect(
        try place.start(train("--output", "run", "--epochs", "3", "--steps", "7")).outcome().status == 0)
      try place.makeFolder("elsewhere/x")
      let resumed = try place.run(
        "language-model", "train", "--resume", "--output", "../run", "--steps", "0",
        workingFolder: folder + "/elsewhere")
      #expect(resumed.status == 0, "\(resumed.errors)")
      #expect(
        FileManager.default.contentsEqual(
          atPath: folder + "/run/model.safetensors", andPath: folder + "/whole/model.safetensors"))
    }
  }

  /// Hostile texts, options that do nothing, and folders that hold something else end in one line.
  @Test(
    arguments: [
      ([], ["none.txt"], 1, "none.txt: can't open"),
      (["a"], ["text.txt"], 1, "expected 2 characters to learn at least, found 1"),
      (["ab"], ["text.txt", "--forget-bias", "1", "--cell", "gru"], 64, "--forget-bias: has an effect only"),
      (["ab"], ["text.txt", "--initial-accumulator", "1"], 64, "--initial-accumulator: has an effect only"),
      (["ab"], ["text.txt", "--hidden-size", "0"], 64, "--hidden-size: expected 1 to 16384, found 0"),
      (
        ["ab"], ["text.txt", "--preset", "none"], 64, "--preset: expected min-char-rnn, char-rnn, found none"
      ),
      (["ab"], [], 64, "expected a text file to learn, found none"),
      (["ab"], ["--resume"], 1, "expected a checkpoint to resume, found none"),
    ] as [([String], [String], Int32, String)])
  func badInputIsOneLine(text: [String], arguments: [String], status: Int32, problem: String) throws {
    try withTemporaryFolder { folder in
      let place = Workplace(folder: folder)
      for text in text { try place.file("text.txt", text) }
      let outcome = try place.start(["language-model", "train", "--output", "run"] + arguments).outcome()
      #expect(
        outcome.status == status && outcome.complaints.last?.contains(problem) == true, "\(outcome.errors)")
      #expect(outcome.complaints.count == 1)
    }
  }

  @Test func textThatIsNoUTF8IsNamed() throws {
    try withTemporaryFolder { folder in
      let place = Workplace(folder: folder)
      try place.file("text.txt", Data([0x61, 0x62, 0xFF]))
      try place.file("empty.txt", Data())
      for (name, problem) in [
        ("text.txt", "byte 2: expected UTF-8 text"), ("empty.txt", "found an empty file"),
      ] {
        let outcome = try place.run("language-model", "train", name, "--output", "run")
        #expect(outcome.status == 1 && outcome.complaints.count == 1 && outcome.errors.contains(problem))
        #expect(!FileManager.default.fileExists(atPath: folder + "/run"))
      }
    }
  }
}
