import Decoding
import Foundation
import Imaging
import Kernels
import Language
import Support
import TestSupport
import Testing

@testable import Models
@testable import Tensors

/// Captioners of other projects, whose files and whose words tools/golden/captioners.py wrote by those projects' own
/// equations.
@Suite struct CaptionerImportTests {
  /// A file, what lies beside it, and whether it has no encoder of its own.
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let file: String
    var infos: String?
    var hasEncoder = false
    var testDescription: String { name }

    static let all =
      [
        Case(name: "neuraltalk2-cudnn", file: "neuraltalk2-cudnn.t7", hasEncoder: true),
        Case(name: "neuraltalk2-nn", file: "neuraltalk2-nn.t7", hasEncoder: true),
      ]
      + ["neuraltalk-lstm", "neuraltalk-tanh", "neuraltalk-rnn", "neuraltalk-once"].map {
        Case(name: $0, file: $0 + ".p")
      }
      + [
        Case(name: "lrcn-2f", file: "lrcn-2f.caffemodel", infos: "lrcn.txt", hasEncoder: true),
        Case(name: "lrcn-1u", file: "lrcn-1u.caffemodel", infos: "lrcn.txt", hasEncoder: true),
        Case(name: "lrcn-features", file: "lrcn-features.caffemodel", infos: "lrcn.txt"),
      ]
      + ["fc", "newfc", "show_tell", "att2in2"].map { Case(name: $0, file: $0 + ".pth", infos: $0 + ".pkl") }

    func files(encoder: String = "encoder.safetensors") throws -> CaptionerFiles {
      let folder = fixture("captioners") + "/"
      return CaptionerFiles(
        model: folder + file, infos: infos.map { folder + $0 },
        encoder: hasEncoder
          ? nil : try EncoderSource(path: folder + encoder, preprocessing: "caffe"))
    }
  }

  /// What a project's model says of an image, and what it thinks of a given caption.
  private struct Said: Decodable {
    let words: [String]
    let logProbs: [Double]
    let given: [String]
    let givenLogProbs: [Double]

    enum CodingKeys: String, CodingKey {
      case words, given
      case logProbs = "log_probs"
      case givenLogProbs = "given_log_probs"
    }
  }

  /// [2, 224, 224, 3] of patches that the script draws too.
  static let images: Tensor = {
    var random = Random(seed: 1234, stream: 900)
    let patches = Tensor(uniform: [2, 7, 7, 3], limit: 120, using: &random)
    var images = Tensor(uninitialized: [2, 224, 224, 3])
    let pixels = images.mutablePointer()
    for place in 0..<2 * 224 * 224 * 3 {
      let (image, row, column) = (place / 150_528, place / 672 % 224, place / 3 % 224)
      pixels[place] = patches[((image * 7 + row / 32) * 7 + column / 32) * 3 + place % 3]
    }
    return images
  }()

  @Test(arguments: Case.all) func saysWhatTheProjectSays(model: Case) throws {
    let data = try Data(contentsOf: URL(fileURLWithPath: fixture("captioners/captions.json")))
    let said = try #require(try JSONDecoder().decode([String: [Said]].self, from: data)[model.name])
    let captioner = try #require(try ImportedCaptioner.read(model.files()))
    try withTemporaryFolder { folder in
      let path = folder + "/model.safetensors"
      try captioner.conversion().write(to: path, half: false)
      let loaded = try CaptionModel(contentsOf: path, caching: .streamed)
      #expect(loaded.description == captioner.description)
      let maps = try loaded.maps(Self.images)
      let captions = loaded.captions(maps, .beam(BeamOptions(beamWidth: 1, maximumLength: 30)))
      for (image, said) in said.enumerated() {
        let found = captions[image][0]
        #expect(found.words.dropLast().map(\.word) == said.words)
        #expect(found.words.count == said.logProbs.count)
        for (word, logProb) in zip(found.words, said.logProbs) {
          #expect(abs(Double(word.logProb) - logProb) < 1e-4, "\(word) against \(logProb)")
        }
        let given = loaded.score(said.given, maps.row(image).reshaped([1, maps.shape[1]]))
        for (word, logProb) in zip(given.words, said.givenLogProbs) {
          #expect(abs(Double(word.logProb) - logProb) < 1e-4, "\(word) against \(logProb)")
        }
        // The classes that the project has not have no share: what is left of 1 is for its own.
        let all = loaded.score([], maps.row(image).reshaped([1, maps.shape[1]]), runnersUp: 40)
        let other = try #require(all.words.first).runnersUp.filter { $0.word == "<pad>" || $0.word == "<s>" }
        #expect(other.allSatisfy { $0.logProb < -1000 })
      }
    }
  }

  /// The image enters the layer that reads it there, by its classes; the words are as many as rows.
  @Test func lrcnKeepsItsWays() throws {
    func files(_ name: String) throws -> CaptionerFiles {
      try #require(Case.all.first { $0.name == name }).files()
    }
    let upper = try #require(try ImportedCaptioner.read(files("lrcn-2f")))
    #expect(upper.project == "LRCN" && upper.leftOver.isEmpty)
    #expect(upper.description.decoder.layers == 2 && upper.description.decoder.contextLayer == 1)
    #expect(upper.description.encoder.head == .full && upper.description.preprocessing == .caffe)
    var lower = try files("lrcn-1u")
    #expect(try ImportedCaptioner.read(lower)?.description.decoder.layers == 1)
    lower.infos = nil
    #expect(throws: ModelError.self) { try ImportedCaptioner.read(lower) }
    try withTemporaryFolder { folder in
      lower.infos = folder + "/words.txt"
      try Data("a\ndog\n".utf8).write(to: URL(fileURLWithPath: folder + "/words.txt"))
      let expected = ModelError.unsupported(
        path: folder + "/words.txt", expected: "11 words, a line each, for the 12 rows of embedding",
        found: "2")
      #expect(throws: expected) { try ImportedCaptioner.read(lower) }
    }
  }

  /// What is written is as the project's own reading of images and words has it.
  @Test func neuraltalk2KeepsItsWays() throws {
    let captioner = try #require(try ImportedCaptioner.read(Case.all[0].files()))
    #expect(captioner.project == "neuraltalk2" && captioner.leftOver.isEmpty)
    let description = captioner.description
    #expect(description.vocabulary.words.prefix(6) == ["<pad>", "<s>", "</s>", "<unk>", "a", "dog"])
    #expect(description.preprocessing.resize == .stretchThenCrop(side: 256, margin: 15))
    #expect(description.preprocessing.channelOrder == .rgb && description.preprocessing.mean[0] == 123.68)
    #expect(description.decoder.rectifiesInput && description.encoder.head == .full)
    let plain = try #require(try ImportedCaptioner.read(Case.all[1].files()))
    #expect(!plain.description.decoder.rectifiesInput && plain.description.decoder.layers == 2)
  }

  /// What is missing is named with what helps.
  @Test func saysWhatIsMissing() throws {
    func refusal(_ files: CaptionerFiles) -> String {
      do {
        return try ImportedCaptioner.read(files) == nil ? "no captioner" : "accepted"
      } catch { return "\(error)" }
    }
    var files = try Case.all[2].files()
    files.encoder = nil
    #expect(
      refusal(files)
        == "\(files.model): expected an encoder beside it, as neuraltalk keeps none in its models: --encoder FILE, found none"
    )
    files = try #require(Case.all.first { $0.name == "fc" }).files()
    files.infos = nil
    #expect(
      refusal(files)
        == "\(files.model): expected the options and words of a model of ImageCaptioning.pytorch beside it: --infos infos.pkl, found none"
    )
    files.infos = fixture("captioners/neuraltalk-tanh.p")
    #expect(refusal(files) == "\(files.infos ?? ""): expected opt and vocab, found another pickle")
    #expect(refusal(CaptionerFiles(model: fixture("captioners/encoder.safetensors"))) == "no captioner")
    // An encoder without a head has no features.
    try withTemporaryFolder { folder in
      try TinyNetwork.writeConvolutions(to: folder + "/other.safetensors")
      files = try Case.all[2].files()
      files.encoder = try EncoderSource(path: folder + "/other.safetensors", preprocessing: "auto")
      #expect(
        refusal(files)
          == "\(folder)/other.safetensors: expected an encoder whose head gives 16 features, found no head")
    }
  }

  /// Files that are of a project but of another kind of model: by name, with what our decoders have not.
  @Test(arguments: [
    ("other.pkl", "caption_model fc, newfc, show_tell or att2in2", "transformer"),
    ("normalized.pkl", "use_bn 0, as our decoders have no other", "1.0"),
    ("gru.pkl", "rnn_type lstm or rnn, as our GRU's reset gate acts before the product", "gru"),
  ]) func refusesOtherModels(infos: String, expected: String, found: String) throws {
    var files = try #require(Case.all.first { $0.name == "fc" }).files()
    files.infos = fixture("captioners/" + infos)
    let error = #expect(throws: ModelError.self) { try ImportedCaptioner.read(files) }
    let text = error.map { "\($0)" } ?? ""
    #expect(text.hasPrefix("\(files.infos ?? ""): expected \(expected)") && text.hasSuffix("found \(found)"))
  }

  @Test(arguments: ["relu.p", "attend.pth", "unknown.p"]) func refusesByName(name: String) throws {
    var files = try Case.all[2].files()
    files.model = fixture("captioners/" + name)
    let error = #expect(throws: ModelError.self) { try ImportedCaptioner.read(files) }
    let text = error.map { "\($0)" } ?? ""
    switch name {
    case "relu.p": #expect(text.contains("rnn_relu_encoders"))
    case "attend.pth": #expect(text.contains("a-PyTorch-Tutorial-to-Image-Captioning's: a ReLU"))
    default: #expect(text.contains("captioners.Unheard"))
    }
  }

  /// Layers that are not a VGG network's, and graphs without names, of a checkpoint as text.
  @Test func refusesOtherNetworks() throws {
    let bytes = try Data(contentsOf: URL(fileURLWithPath: fixture("captioners/neuraltalk2-cudnn.t7")))
    func refusal(_ old: String, _ new: String) throws -> String {
      precondition(old.utf8.count == new.utf8.count)
      return try withTemporaryFolder { folder in
        let path = folder + "/model.t7"
        var changed = bytes
        let range = try #require(changed.range(of: Data(old.utf8)))
        changed.replaceSubrange(range, with: Data(new.utf8))
        try changed.write(to: URL(fileURLWithPath: path))
        do {
          _ = try ImportedCaptioner.read(CaptionerFiles(model: path))
          return "accepted"
        } catch { return "\(error)".replacingOccurrences(of: path, with: "FILE") }
      }
    }
    #expect(
      try refusal("cudnn.SpatialConvolution", "cudnn.SpatialConvolutioX")
        == "FILE: expected cnn layer 1 to be a layer of a VGG network, found cudnn.SpatialConvolutioX")
    #expect(
      try refusal("i2h_1", "i2x_1") == "FILE: expected lm.i2h_1.weight of shape [32, 6], found none")
    #expect(
      try refusal("cudnn.ReLU", "cudnn.ELUs")
        == "FILE: expected cnn layer 2 to be the ReLU of the layer before, found cudnn.ELUs")
    #expect(
      try refusal("lookup_table", "lookup_tabel")
        == "FILE: expected lm.lookup_table.weight of shape [12, 6], found none")
    #expect(try refusal("rnn_size", "rnn_sise").contains("rnn_size") == false)
  }
}
