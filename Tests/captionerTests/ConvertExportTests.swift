import Foundation
import TestSupport
import Testing

/// `captioner convert --to`: a model for other programs.
@Suite struct ConvertExportTests {
  @Test(arguments: [
    ("onnx", ["encoder.onnx", "decoder.onnx", "vocabulary.json"]),
    ("torch", ["weights.safetensors", "vocabulary.json"]),
    ("npz", ["weights.npz", "description.json", "vocabulary.json"]),
  ]) func filesAreMadeAndMadeAgain(kind: String, files: [String]) throws {
    try Workplace.with { place in
      let folder = place.folder + "/export"
      func made() throws -> [Data] {
        try files.map { try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\($0)")) }
      }
      let first = try place.run("convert", place.model, folder, "--to", kind)
      #expect(first.status == 0 && first.output.isEmpty, "\(first.errors)")
      #expect(first.errors.contains(files[0]) && !first.errors.contains("captioner: "))
      let once = try made()
      #expect(try place.run("convert", place.model, folder, "--to", kind).status == 0)
      #expect(try made() == once)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == files.sorted())
    }
  }

  /// The weights for PyTorch are a model like any other.
  @Test func torchsWeightsCaption() throws {
    try Workplace.with { place in
      #expect(try place.run("convert", place.model, place.folder + "/export", "--to", "torch").status == 0)
      let weights = place.folder + "/export/weights.safetensors"
      let photo = photo("decode/jpeg-444.jpg")
      let captions = try [place.model, weights].map { try place.run("caption", photo, "--model", $0).output }
      #expect(captions[0] == captions[1] && !captions[0].isEmpty)
    }
  }

  @Test func whatCantBeConvertedIsRefused() throws {
    try Workplace.with { place in
      func told(_ arguments: String..., status: Int32 = 1) throws -> String {
        let outcome = try place.start(arguments).outcome()
        #expect(outcome.status == status && outcome.output.isEmpty)
        return outcome.errors
      }
      let text = place.folder + "/text"
      try Data("no model".utf8).write(to: URL(fileURLWithPath: text))
      #expect(try told("convert", text, place.folder + "/a", "--to", "onnx").contains("text"))
      // A file where the folder should be, a folder that is nowhere, and a kind that is none.
      #expect(try told("convert", place.model, text, "--to", "npz").contains("text: can't make the folder"))
      #expect(try told("convert", place.model, place.folder + "/b/c", "--to", "npz").contains("b/c"))
      #expect(try told("convert", place.model, "x", "--to", "caffe", status: 64).contains("onnx"))
      // Not over the model itself.
      try FileManager.default.copyItem(atPath: place.model, toPath: place.folder + "/weights.safetensors")
      let model = place.folder + "/weights.safetensors"
      #expect(try told("convert", model, place.folder, "--to", "torch").contains("it is read"))
    }
  }
}
