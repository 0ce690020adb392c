import Foundation
import TestSupport
import Testing

/// Files and names that somebody made to harm, or that are something else than they should be.
@Suite struct HostileInputTests {
  private static let escapes = "a\u{1B}[31m\u{202E}b"

  @Test func namesAndWordsDoNothingToTheTerminal() throws {
    try Workplace.with { place in
      let photo = try place.photo("decode/png-rgb.png", as: Self.escapes + ".png")
      var metadata = TinyNetwork.metadata
      metadata["vocabulary"] = metadata["vocabulary"]?.replacingOccurrences(
        of: "snow", with: "\\u001b[2J\\u202e")
      metadata["training"] = #"{"data": "x\nvocabulary: 9 words\u009b"}"#
      try TinyNetwork.writeModel(to: place.model, metadata: metadata)
      let forbidden: Set<Unicode.Scalar> = ["\u{1B}", "\u{202E}", "\u{9B}"]
      func run(_ arguments: String...) throws -> String {
        let outcome = try place.start(
          arguments + (arguments[0] == "inspect" ? [] : ["--model", place.model])
        )
        .outcome()
        let text = outcome.output + outcome.errors
        #expect(!text.unicodeScalars.contains(where: forbidden.contains), "\(arguments)")
        return text
      }
      for format in ["text", "json", "csv"] {
        let text = try run("caption", photo, Self.escapes, "--format", format, "--force", "\u{1B}[2J\u{202E}")
        #expect(text.contains("[31m"))
      }
      _ = try run("score", photo, "a dog \u{1B}[2J")
      let lines = try run("inspect", place.model).split(separator: "\n")
      #expect(lines.count { $0.hasPrefix("vocabulary: ") } == 1)
      #expect(lines.contains { $0.hasPrefix("training.data: x\\u{A}vocabulary: 9 words") })
    }
  }

  @Test func spreadsheetsRunNothing() throws {
    try Workplace.with { place in
      for name in ["=1+1.png", "+a.png", "-b.png", "@c.png", "\td.png", "\re.png", "plain.png"] {
        try place.photo("decode/png-rgb.png", as: "photos/" + name)
      }
      try place.file("photos/=broken.png", "x")
      let outcome = try place.run(
        "caption", ".", "--model", place.model, "--format", "csv", workingFolder: place.folder + "/photos")
      #expect(outcome.lines.count == 9)
      // In the folder itself names are plain.
      for name in ["=1+1.png", "-b.png"] {
        let alone = try place.run(
          "caption", "--model", place.model, "--format", "csv", "--", name,
          workingFolder: place.folder + "/photos")
        #expect(alone.lines.last?.hasPrefix("'\(name),1,") == true, "\(alone.lines)")
        // Numbers stay numbers.
        #expect(alone.lines.last?.contains(",-") == true)
      }
      let missing = try place.run("caption", "@x", "--model", place.model, "--format", "csv")
      #expect(missing.lines.last?.hasPrefix("'@x,,,,'@x: ") == true, "\(missing.output)")
    }
  }

  @Test func errorLinesAreShort() throws {
    try Workplace.with { place in
      let long =
        "{\"epochs\": \"\(String(repeating: "x", count: 1_000_000))\", \"\(String(repeating: "k", count: 900_000))\": 1}"
      let config = try place.file("config.json", long)
      let outcome = try place.run("train", "--config", config, "--output", "run")
      #expect(outcome.status == 1 && outcome.complaints.count == 1 && outcome.errors.count < 3000)
      let device = try place.run("train", "--config", "/dev/zero", "--output", "run")
      #expect(device.status == 1)
      #expect(device.complaints == ["captioner: /dev/zero: can't read: not a regular file"])
    }
  }

  @Test(arguments: [
    ("threshold", "1e300"), ("threshold", "-1e300"), ("intercept", "1e308"), ("good", "-1"),
    ("images", "1e30"),
    ("calibration_error", "7"), ("unsure_below", "1.5"),
  ]) func numbersThatNoModelHasAreRefused(key: String, value: String) throws {
    try Workplace.with { place in
      let photo = try place.photo("decode/png-rgb.png", as: "photo.png")
      var numbers = [
        "intercept": "0", "per_nat": "1", "per_word": "0", "metric": "\"CIDEr\"", "threshold": "0.5",
        "images": "8",
        "good": "4", "calibration_error": "0.1",
      ]
      func run() throws -> CaptionerProcess.Outcome {
        var metadata = TinyNetwork.metadata
        metadata["confidence"] = "{" + numbers.map { "\"\($0)\": \($1)" }.joined(separator: ",") + "}"
        try TinyNetwork.writeModel(to: place.model, metadata: metadata)
        return try place.run("caption", photo, "--model", place.model)
      }
      #expect(try run().status == 0)
      numbers[key] = value
      let outcome = try run()
      #expect(outcome.status == 1 && outcome.complaints.count == 1 && outcome.errors.contains("confidence"))
    }
  }

  @Test func otherFilesAreCalledByTheirNames() throws {
    try Workplace.with { place in
      let photo = try place.photo("decode/png-rgb.png", as: "photo.png")
      let files: [(Data, String)] = [
        (Data("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 73000000\n".utf8), "LFS"),
        (Data("<!DOCTYPE html><html><body>Sign in</body></html>".utf8), "HTML"),
        (Data("PK\u{3}\u{4}".utf8) + Data(count: 500), "PyTorch"),
        (Data([0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A]) + Data(count: 500), "HDF5"),
        (Data([0x80, 0x02, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9]) + Data(count: 500), "pickle"),
        (Data([0x08, 0x07, 0x12, 0x07]) + Data("pytorch".utf8) + Data(count: 500), "ONNX"),
        (Data("GGUF".utf8) + Data([3, 0, 0, 0]) + Data(count: 500), "GGUF"),
        (Data([0x1F, 0x8B, 0x08, 0, 1, 2, 3, 4, 5]), "gzip"),
        (try Data(contentsOf: URL(fileURLWithPath: photo)), "PNG"), (Data(), "empty"),
      ]
      for (bytes, name) in files {
        let file = try place.file("other", bytes)
        for arguments in [
          ["caption", photo, "--model", file], ["features", photo, "--encoder", file, "--output", "f"],
          ["inspect", file],
        ] {
          let outcome = try place.start(arguments).outcome()
          #expect(
            outcome.status == 1 && outcome.complaints.count == 1 && outcome.errors.contains(name),
            "\(name): \(outcome.errors)")
        }
      }
    }
  }

  /// A model in a folder above that anybody may write to is not taken.
  @Test func onlyTheInstallsOwnPlacesHaveTheDefaultModel() throws {
    try Workplace.with { place in
      let photo = try place.photo("decode/png-rgb.png", as: "photo.png")
      let program = CaptionerProcess.executable
      func run(at path: String) throws -> CaptionerProcess.Outcome {
        try place.makeFolder(String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]))
        try FileManager.default.copyItem(atPath: program, toPath: place.folder + "/" + path)
        return try CaptionerProcess(
          ["caption", photo], in: place.folder, shell: "shift; exec \(place.folder)/\(path) caption \(photo)"
        ).outcome()
      }
      try place.makeFolder("models")
      try FileManager.default.copyItem(
        atPath: place.model, toPath: place.folder + "/models/captioner.safetensors")
      let planted = try run(at: "a/bin/captioner")
      #expect(planted.status == 1 && planted.errors.hasPrefix("captioner: no model: expected --model FILE"))
      #expect(try run(at: ".build/release/captioner").status == 0)
      try place.makeFolder("a/share/captioner")
      try FileManager.default.copyItem(
        atPath: place.model, toPath: place.folder + "/a/share/captioner/captioner.safetensors")
      try FileManager.default.removeItem(atPath: place.folder + "/a/bin")
      #expect(try run(at: "a/bin/captioner").status == 0)
    }
  }

  @Test(arguments: [
    ("caption", "--beam", "--beam-width"), ("caption", "--formt", "--format"),
    ("caption", "--modle", "--model"),
    ("caption", "--ngram", "--no-repeat-ngram"), ("evaluate", "--result", "--results"),
    ("train", "--epoch", "--epochs"), ("train", "--learning-rat", "--learning-rate"),
  ]) func misspeltOptionsGetTheNearest(command: String, given: String, meant: String) throws {
    try Workplace.with { place in
      let rest =
        ["evaluate": ["--captions", "c", "--images", "i"], "train": ["--output", "o"]][command] ?? ["x.jpg"]
      let outcome = try place.start([command] + rest + [given, "5"]).outcome()
      #expect(outcome.status == 64)
      #expect(
        outcome.errors.contains("Unknown option '\(given)'. Did you mean '\(meant)'?"), "\(outcome.errors)")
      let far = try place.start([command] + rest + ["--zzqqxx"]).outcome()
      #expect(far.status == 64 && !far.errors.contains("Did you mean"))
    }
  }
}
