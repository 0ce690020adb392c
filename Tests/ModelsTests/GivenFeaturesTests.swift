import Datasets
import Foundation
import Kernels
import Language
import Layers
import Support
import Tensors
import TestSupport
import Testing

@testable import Models

@Suite struct GivenFeaturesTests {
  /// A model of features of a shape.
  private func description(
    _ shape: Shape, _ head: VGGArchitecture.Head, _ conditioning: ConditioningName = .gates
  ) throws -> ModelDescription {
    let given = GivenFeatures(shape, name: "CLIP ViT-B/32")
    let size = head == .none ? given.width : 5
    let encoder = try #require(VGGArchitecture(given: given, head: head, featureSize: size))
    var decoder = DecoderDescription(embeddingSize: 6, hiddenSize: 7)
    decoder.conditioning = conditioning
    if conditioning.attends {
      decoder.attention = AttentionDescription(channels: given.width, valueSize: 4, keySize: 3)
    }
    return ModelDescription(
      encoder: encoder, preprocessing: .torchvision, decoder: decoder,
      vocabulary: try Vocabulary(words: Vocabulary.specialWords + ["dog", "cat"]))
  }

  /// Writes a model of it, its weights drawn.
  private func write(_ description: ModelDescription, to path: String) throws {
    var random = Random(seed: 3)
    let network = CaptionNetwork(description) { (parameter) -> Tensor in
      Tensor(uniform: parameter.shape, limit: 0.8, using: &random)
    }
    let none = try SafetensorsFile(inMemory: [], metadata: [:], path: "none")
    try ModelFile.write(description, network, convolutionsOf: none, prefix: "", type: .float32, to: path)
  }

  @Test(
    arguments: [
      ([3], .none, .gates), ([3], .compact, .gates), ([3], .compact2, .firstInput),
      ([4, 3], .none, .attention), ([2, 5, 3], .compact, .topDown),
    ] as [(Shape, VGGArchitecture.Head, ConditioningName)])
  func survivesTheFile(shape: Shape, head: VGGArchitecture.Head, conditioning: ConditioningName) throws {
    try withTemporaryFolder { folder in
      let path = folder + "/model.safetensors"
      var written = try description(shape, head, conditioning)
      written.encoder.given?.scale = 0.25
      try write(written, to: path)
      let model = try CaptionModel(ofFeaturesAt: path)
      #expect(model.description == written && model.description.mapSize == shape.count)
      #expect(ModelCheck(try SafetensorsFile(path: path)).findings.isEmpty)
      var random = Random(seed: 8)
      let captions = model.captions(Tensor(uniform: [3, shape.count], limit: 1, using: &random))
      #expect(captions.count == 3 && captions.allSatisfy { $0[0].logProb.isFinite })
      let refused = #expect(throws: ModelError.self) {
        _ = try CaptionModel(contentsOf: path, caching: .streamed)
      }
      let line = refused.map { "\($0)" } ?? ""
      #expect(line.contains("expected a model of photos, found one of features of CLIP ViT-B/32, "))
      #expect(line.contains("--features FILE"))
      #expect(throws: ModelError.self) { _ = try EncoderSource(path: path, preprocessing: "auto") }
    }
  }

  /// Without a head v is the features themselves, times what the file says.
  @Test func scaleCounts() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/model.safetensors"
      var written = try description([3], .none)
      try write(written, to: path)
      let plain = try CaptionModel(ofFeaturesAt: path)
      written.encoder.given?.scale = 0.5
      try write(written, to: path)
      let halved = try CaptionModel(ofFeaturesAt: path)
      let x = Tensor([1, -2, 3], [1, 3])
      let twice = Tensor([2, -4, 6], [1, 3])
      #expect(halved.captions(twice) == plain.captions(x) && halved.captions(x) != plain.captions(x))
    }
  }

  /// The keys as other programs know them; files of photos have none of them.
  @Test func formatIsAContract() throws {
    let metadata = try description([2, 5, 3], .none, .topDown).metadata()
    let text = try #require(metadata["architecture"])
    #expect(
      text.contains(#""features":{"columns":5,"name":"CLIP ViT-B\/32","rows":2,"scale":1,"width":3}"#)
        || text.contains(#""features":{"columns":5,"name":"CLIP ViT-B/32","rows":2,"scale":1,"width":3}"#))
    #expect(text.contains(#""convolutions":"""#) && metadata["preprocessing"] == nil)
  }

  @Test func featuresMustFit() throws {
    try withTemporaryFolder { folder in
      func files(_ shape: Shape) throws -> FeatureFiles {
        let path = folder + "/f.safetensors"
        let all = Shape([1] + shape.dimensions)
        try SafetensorsWriter.write(
          [.init(name: "features", tensor: Tensor(zeros: all))], metadata: ["names": #"["a"]"#], to: path)
        return try FeatureFiles(paths: [path])
      }
      let model = try description([4, 3], .none, .attention)
      try model.check(files([4, 3]))
      for (shape, found) in [
        ([3], "3 numbers an image"), ([4, 2], "4 regions of 2 numbers an image"),
        ([2, 2, 3], "2×2 regions of 3 numbers an image"),
      ] as [(Shape, String)] {
        #expect(
          throws: ModelError.unsupported(
            path: folder + "/f.safetensors",
            expected:
              "features of CLIP ViT-B/32, 4 regions of 3 numbers an image, as the model was trained on",
            found: found)
        ) { try model.check(files(shape)) }
      }
      try TinyNetwork.writeModel(to: folder + "/photos.safetensors")
      #expect(throws: ModelError.self) { _ = try CaptionModel(ofFeaturesAt: folder + "/photos.safetensors") }
    }
  }

  @Test func nonsenseIsRefused() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/model.safetensors"
      var metadata = try description([3], .none).metadata()
      let text = try #require(metadata["architecture"])
      for (old, new) in [
        ("\"width\":3", "\"width\":0"), ("\"width\":3", "\"width\":4"),
        ("\"width\":3", "\"rows\":1,\"width\":3"),
        ("\"scale\":1", "\"scale\":0"), ("\"scale\":1", "\"scale\":-1"),
        ("\"head\":\"none\"", "\"head\":\"full\""),
        ("\"width\":3", "\"columns\":2,\"rows\":1,\"width\":3"),
      ] {
        metadata["architecture"] = text.replacing(old, with: new)
        #expect(metadata["architecture"] != text)
        try SafetensorsWriter.write([], metadata: metadata, to: path)
        #expect(throws: ModelError.self, "\(new)") {
          _ = try ModelDescription(of: SafetensorsFile(path: path))
        }
      }
    }
  }
}
