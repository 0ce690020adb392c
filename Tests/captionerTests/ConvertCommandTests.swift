import Foundation
import Support
import Tensors
import TestSupport
import Testing

/// Weights of other programs as encoders. `Fixtures/vgg.pth` and `vgg-legacy.pth` hold two convolutions of 4 and 3 channels and
/// FC layers of 4 under torchvision's names behind DataParallel's (`tools/golden/weight_files.py`).
@Suite struct ConvertCommandTests {
  private let forms = ["vgg.pth", "vgg-legacy.pth", "vgg.npz"]

  @Test func everyFormGivesTheSameFeatures() throws {
    try Workplace.with { place in
      _ = try place.dataset()
      #expect(try place.run("convert", fixture("vgg.pth"), "vgg.safetensors").status == 0)
      func features(_ encoder: String, _ output: String) throws -> [Float] {
        let outcome = try place.run("features", "photos", "--encoder", encoder, "--output", output)
        #expect(outcome.status == 0 && outcome.complaints.isEmpty, "\(outcome.errors)")
        return try SafetensorsFile(path: "\(place.folder)/\(output)").tensor(named: "features").scalars
      }
      let expected = try features("vgg.safetensors", "expected")
      #expect(expected.count == 8 * 4 && expected.contains { $0 > 0 })
      for (number, form) in forms.enumerated() {
        #expect(try features(fixture(form), "f\(number)") == expected, "\(form)")
      }
      // Features are kept under the weights' content: another form of the same goes on with them.
      let again = try place.run("features", "photos", "--encoder", fixture("vgg.npz"), "--output", "f0")
      #expect(again.status == 0 && again.errors.contains("8 images are there already"))
    }
  }

  @Test func saysWhatItMadeAndWhatIsLeft() throws {
    try Workplace.with { place in
      let output = place.folder + "/vgg.safetensors"
      let outcome = try place.run(
        "convert", fixture("vgg.pth"), output, "--half", "--preprocessing", "caffe", "--format", "json")
      #expect(outcome.status == 0)
      #expect(
        outcome.complaints == ["weight", "bias"].map { "captioner: classifier.6.\($0): no place for it" })
      let report = try #require(try outcome.objects().first)
      #expect(report["network"] as? String == "VGG-style, head full" && report["tensors"] as? Int == 8)
      #expect(report["left_over"] as? [String] == ["classifier.6.weight", "classifier.6.bias"])
      let file = try SafetensorsFile(path: output)
      #expect(
        file.metadata == ["mean": "103.939,116.779,123.68", "scale": "0..255", "channel_order": "BGR"])
      #expect(
        file.entries["features.0.weight"]?.typeName == "F16"
          && file.entries["features.0.bias"]?.typeName == "F32")
      let inspected = try place.run("inspect", fixture("vgg.pth"))
      for line in [
        "kind: PyTorch", "network: VGG-style (4,pool,3,pool), head full", "epoch: 3",
        "  classifier.6.weight  torch.FloatStorage  [2, 4]",
      ] { #expect(inspected.lines.contains(line), "\(line): \(inspected.output)") }
      let json = try #require(
        try place.run("inspect", fixture("vgg.npz"), "--format", "json").objects().first)
      #expect(json["kind"] as? String == "NumPy" && (json["tensors"] as? [Any])?.count == 10)
      #expect(try place.run("doctor", fixture("vgg.pth")).status == 0)
    }
  }

  @Test func whatCannotBeConvertedIsOneLine() throws {
    try Workplace.with { place in
      func refused(_ arguments: [String], _ words: String) throws {
        let outcome = try place.start(["convert"] + arguments).outcome()
        #expect(
          outcome.status == 1 && outcome.complaints.count == 1 && outcome.errors.contains(words),
          "\(outcome.errors)")
      }
      let copy = place.folder + "/vgg.pth"
      try FileManager.default.copyItem(atPath: fixture("vgg.pth"), toPath: copy)
      try refused([copy, copy], "it is read")
      try refused([copy, "none/a.safetensors"], "none")
      try refused([place.model, "a.safetensors"], "found a captioner model")
      try refused(["missing.pth", "a.safetensors"], "missing.pth")
      let hostile = try place.file("a.pkl", Data("cos\nsystem\n(S'touch ran'\ntR.".utf8))
      try refused([hostile, "a.safetensors"], "refused: the file asks to run os.system")
      let other = try place.file("b.pkl", Data("(dS'a'\nI1\ns.".utf8))
      try refused([other, "a.safetensors"], "expected the convolutions of a VGG network, found no tensors")
      try FileManager.default.removeItem(atPath: place.folder + "/vgg.pth")
      let left = try FileManager.default.contentsOfDirectory(atPath: place.folder)
      #expect(!left.contains("a.safetensors") && !left.contains("ran"))
      #expect(try place.run("convert", "a", "b", "--preprocessing", "other").status == 64)
    }
  }

  /// Captioners of other projects (`tools/golden/captioners.py`).
  @Test func captionersBecomeModels() throws {
    try Workplace.with { place in
      _ = try place.dataset()
      let folder = fixture("../../ModelsTests/Fixtures/captioners")
      let made = try place.run("convert", folder + "/neuraltalk2-cudnn.t7", "a.safetensors", "--half")
      #expect(made.status == 0, "\(made.errors)")
      #expect(made.errors.contains("neuraltalk2, VGG-style, head full, lstm of 8, 14 words"))
      let captions = try place.run("caption", "photos", "--model", "a.safetensors")
      #expect(captions.status == 0 && captions.lines.count == 8, "\(captions.errors)")
      let inspected = try place.run("inspect", "a.safetensors")
      for words in ["a stretch to 256×256, 15 from its edges", "the image as first input, rectified"] {
        #expect(inspected.output.contains(words), "\(inspected.output)")
      }
      let tensors = try place.run("inspect", folder + "/neuraltalk2-cudnn.t7")
      #expect(tensors.status == 0 && tensors.output.contains("protos.lm.lookup_table.weight"))

      let beside = try place.run(
        "convert", folder + "/fc.pth", "b.safetensors", "--infos", folder + "/fc.pkl", "--encoder",
        folder + "/encoder.safetensors", "--format", "json")
      #expect(beside.status == 0, "\(beside.errors)")
      let report = try #require(try beside.objects().first)
      #expect((report["network"] as? String)?.hasPrefix("ImageCaptioning.pytorch, ") ?? false)
      // What helps is said: by convert, and by caption of what it has not made yet.
      let alone = try place.run("convert", folder + "/neuraltalk-tanh.p", "c.safetensors")
      #expect(alone.status == 1 && alone.errors.contains("--encoder FILE"))
      let raw = try place.run("caption", "photos", "--model", folder + "/neuraltalk-tanh.p")
      #expect(raw.status == 1 && raw.errors.contains("captioner convert"), "\(raw.errors)")
      // One that has all in its file is a model as it is.
      let whole = try place.run("caption", "photos", "--model", folder + "/neuraltalk2-cudnn.t7")
      #expect(whole.status == 0 && whole.lines.count == captions.lines.count, "\(whole.errors)")
      try beOfFeatures(place, folder)
      let none = try place.run(
        "convert", fixture("vgg.pth"), "d.safetensors", "--infos", folder + "/fc.pkl")
      #expect(none.status == 1)
    }
  }

  /// Where the features come from another encoder the model takes them as they are.
  private func beOfFeatures(_ place: Workplace, _ folder: String) throws {
    let words = ["--infos", folder + "/attend.json"]
    let made = try place.start(
      ["convert", folder + "/attend.pth", "given.safetensors", "--features", "3x3x8"] + words
    ).outcome()
    #expect(made.status == 0, "\(made.errors)")
    var random = Random(seed: 7)
    try SafetensorsWriter.write(
      [.init(name: "7.jpg", tensor: Tensor((0..<72).map { _ in random.uniform() }, [3, 3, 8]))],
      metadata: [:],
      to: place.folder + "/seen.safetensors")
    let said = try place.run(
      "caption", "7.jpg", "--model", "given.safetensors", "--features", "seen.safetensors")
    #expect(said.status == 0 && said.lines.count == 1, "\(said.errors)")
    let inspected = try place.run("inspect", "given.safetensors")
    #expect(inspected.output.contains("3×3 regions of 8 numbers an image"), "\(inspected.output)")
    #expect(inspected.output.contains("compared by ReLU, each gated"), "\(inspected.output)")
    for (sizes, status) in [("9x8", 0), ("3x3x7", 1), ("8", 1), ("3x", 64), ("0x8", 64), ("2x2x2x8", 64)] {
      let outcome = try place.start(
        ["convert", folder + "/attend.pth", "other.safetensors", "--features", sizes] + words
      ).outcome()
      #expect(
        Int(outcome.status) == status && outcome.complaints.count <= 1 + status, "\(sizes): \(outcome.errors)"
      )
    }
  }
}
