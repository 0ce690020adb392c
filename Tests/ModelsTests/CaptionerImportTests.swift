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
    /// The extents of features that are given in an encoder's place.
    var features: [Int]?
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
      + [
        Case(name: "fc", file: "fc.pth", infos: "fc.pkl", features: [16]),
        Case(name: "att2in2", file: "att2in2.pth", infos: "att2in2.pkl", features: [7, 7, 8]),
        Case(name: "topdown", file: "topdown.pth", infos: "topdown.pkl", features: [49, 8]),
        Case(name: "attend", file: "attend.pth", infos: "attend.json"),
        Case(name: "attend", file: "attend.pth", infos: "attend.json", features: [7, 7, 8]),
        Case(name: "attend-state", file: "attend-state.pth", infos: "attend.json"),
      ]

    func files(encoder: String = "encoder.safetensors") throws -> CaptionerFiles {
      let folder = fixture("captioners") + "/"
      return CaptionerFiles(
        model: folder + file, infos: infos.map { folder + $0 },
        encoder: hasEncoder
          ? nil
          : try features.map { try EncoderSource(featuresOf: Shape($0), path: file) }
            ?? EncoderSource(path: folder + encoder, preprocessing: "caffe"))
    }

    /// What a model of them is shown: maps, or features that the encoder makes elsewhere.
    func seen(by model: CaptionModel) throws -> Tensor {
      guard let features else { return try model.maps(CaptionerImportTests.images) }
      let source = try EncoderSource(path: fixture("captioners/encoder.safetensors"), preprocessing: "caffe")
      let encoder = try VGGEncoder(
        source.architecture, preprocessing: source.preprocessing, weights: source.file, caching: .streamed)
      guard features.count == 1 else {
        return encoder.maps(CaptionerImportTests.images).reshaped([2, features.reduce(1, *)])
      }
      let head = try StoredFeatureHead(source.architecture, weights: source.file, prefix: "", on: .cpu)
      return head(encoder.pooled(CaptionerImportTests.images), on: .cpu)
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
    // Everything has a place but the image's features that att2in2 embeds and never uses, and counters.
    #expect(
      captioner.leftOver.allSatisfy { $0.hasPrefix("fc_embed.") || $0.hasSuffix("num_batches_tracked") },
      "\(captioner.leftOver)")
    try withTemporaryFolder { folder in
      let path = folder + "/model.safetensors"
      try captioner.conversion().write(to: path, half: false)
      let loaded =
        try
        (model.features == nil
        ? CaptionModel(contentsOf: path, caching: .streamed) : CaptionModel(ofFeaturesAt: path))
      #expect(loaded.description == captioner.description)
      let maps = try model.seen(by: loaded)
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
        // This one has such classes.
        #expect(other.allSatisfy { $0.logProb < -1000 } || model.name.hasPrefix("attend"))
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
        == "\(files.model): expected an encoder beside it, as neuraltalk keeps none in its models: --encoder FILE, or --features 16 for features made elsewhere, found none"
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

  /// What decoders that attend want of an encoder, or of features in its place.
  @Test func saysWhatRegionsAreWanted() throws {
    func refusal(_ name: String, _ change: (inout CaptionerFiles) throws -> Void) throws -> String {
      var files = try #require(Case.all.first { $0.name == name }).files()
      try change(&files)
      let error = #expect(throws: ModelError.self) { try ImportedCaptioner.read(files) }
      return "\(try #require(error))".replacingOccurrences(of: fixture("captioners") + "/", with: "")
    }
    #expect(
      try refusal("attend") { $0.encoder = nil }
        == "attend.pth: expected an encoder beside it, as a-PyTorch-Tutorial-to-Image-Captioning keeps none in its models: --encoder FILE, or --features 14x14x8 for features made elsewhere, found none"
    )
    #expect(
      try refusal("attend") { $0.infos = nil }
        == "attend.pth: expected the words of a model of a-PyTorch-Tutorial-to-Image-Captioning beside it: --infos WORDMAP.json, found none"
    )
    #expect(
      try refusal("attend") { $0.infos = fixture("captioners/lrcn.txt") }
        == "lrcn.txt: expected words with their numbers, as JSON, found other text")
    #expect(
      try refusal("att2in2") { $0.encoder = try EncoderSource(featuresOf: [16], path: "") }
        == "att2in2.pth: expected features of regions of 8 numbers, such as 14x14x8, found 16 numbers an image"
    )
    #expect(
      try refusal("topdown") { $0.encoder = try Case.all[2].files().encoder }
        == "topdown.pth: expected features made elsewhere, as a layer of topdown follows them: --features 14x14x8, found an encoder"
    )
    #expect(
      try refusal("fc") { $0.encoder = try EncoderSource(featuresOf: [7, 7, 16], path: "") }
        == "fc.pth: expected features of 16 numbers an image, found 7×7 regions of 16 numbers an image")
  }

  /// The numbers of its words are taken as they are said: each once, and within the table.
  @Test(arguments: [
    (#"{"a": 1, "b": 1}"#, "numbers 0 to 13, each once, as many as the model has words, found 1"),
    (#"{"a": 14}"#, "numbers 0 to 13, each once, as many as the model has words, found 14"),
    (#"{"a": 1}"#, "the words <start> and <end>, found others"),
    (#"{"<start>": 1, "<end>": 2}"#, "a word for each class, found none for class 0"),
  ]) func refusesOtherWords(text: String, problem: String) throws {
    try withTemporaryFolder { folder in
      var files = try #require(Case.all.first { $0.name == "attend" }).files()
      files.infos = folder + "/words.json"
      try Data(text.utf8).write(to: URL(fileURLWithPath: folder + "/words.json"))
      let error = #expect(throws: ModelError.self) { try ImportedCaptioner.read(files) }
      #expect(error.map { "\($0)" }?.hasSuffix("expected " + problem) == true)
    }
  }

  /// Files that are of a project but of another kind of model: by name, with what our decoders have not.
  @Test(arguments: [
    ("other.pkl", "caption_model fc, newfc, show_tell, att2in2 or topdown", "transformer"),
    ("normalized.pkl", "use_bn of at most 1, as our decoders have no other", "2.0"),
    ("gru.pkl", "rnn_type lstm or rnn, as our GRU's reset gate acts before the product", "gru"),
  ]) func refusesOtherModels(infos: String, expected: String, found: String) throws {
    var files = try #require(Case.all.first { $0.name == "fc" }).files()
    files.infos = fixture("captioners/" + infos)
    let error = #expect(throws: ModelError.self) { try ImportedCaptioner.read(files) }
    let text = error.map { "\($0)" } ?? ""
    #expect(text.hasPrefix("\(files.infos ?? ""): expected \(expected)") && text.hasSuffix("found \(found)"))
  }

  @Test(arguments: ["relu.p", "unknown.p"]) func refusesByName(name: String) throws {
    var files = try Case.all[2].files()
    files.model = fixture("captioners/" + name)
    let error = #expect(throws: ModelError.self) { try ImportedCaptioner.read(files) }
    let text = error.map { "\($0)" } ?? ""
    switch name {
    case "relu.p": #expect(text.contains("rnn_relu_encoders"))
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
