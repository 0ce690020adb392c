import Foundation
import Kernels
import Language
import Models
import Support
import Tensors
import TestSupport
import Testing

@testable import Training

/// What a run takes of the tiny model: everything that fits, by the words that both know.
@Suite struct ModelStartTests {
  /// The words of the run: three that the model knows, at other places, and one that it does not.
  private static let words = Vocabulary.specialWords + ["snow", "zebra", "dog", "a"]

  /// The tiny model in `folder`, and a run's description with sizes of its own.
  private static func start(
    in folder: String, head: VGGArchitecture.Head = .compact, seed: UInt64 = 1,
    _ decoder: DecoderDescription = DecoderDescription(embeddingSize: 6, hiddenSize: 8)
  ) throws -> (start: ModelStart, network: TrainedNetwork) {
    try TinyNetwork.writeModel(to: folder + "/model.safetensors")
    try TinyNetwork.writeConvolutions(to: folder + "/vgg.safetensors", seed: seed)
    let model = try ModelDescription(of: SafetensorsFile(path: folder + "/model.safetensors"))
    let architecture = try #require(
      VGGArchitecture(table: TinyNetwork.table, head: head, featureSize: 16))
    let description = try ModelDescription(
      encoder: architecture, preprocessing: model.preprocessing, decoder: decoder,
      vocabulary: Vocabulary(words: words))
    let start = try ModelStart(
      folder + "/model.safetensors", for: description,
      encoder: (SafetensorsFile(path: folder + "/vgg.safetensors"), ""))
    var random = Random(seed: 9)
    var network = TrainedNetwork(
      CaptionNetwork(description) { $0.untrained(using: &random) }, description, convolutions: nil,
      mapShape: [0],
      microBatch: nil)
    network.scale = 0.5
    try start.apply(to: &network)
    return (start, network)
  }

  private static func values(_ network: TrainedNetwork) -> [String: Tensor] {
    Dictionary(uniqueKeysWithValues: network.captions.parameters.map { ($0.path, $0.value) })
  }

  private static func row(_ tensor: Tensor, _ row: Int) -> [Float] {
    let width = tensor.count / tensor.shape[0]
    return tensor.withUnsafeBufferPointer { Array($0[row * width..<(row + 1) * width]) }
  }

  @Test func rowsGoByWords() throws {
    try withTemporaryFolder { folder in
      let (start, network) = try Self.start(in: folder)
      #expect(start.summary.words == 4 && start.summary.keptWords == 3)
      #expect(start.summary.new.isEmpty && start.summary.partly.isEmpty)
      #expect(
        start.summary.text.contains("kept 3 of 4 words, 1 new (as the mean of its words); taken: head, "))
      let (mine, theirs) = (Self.values(network), TinyNetwork.tensors())
      for path in ["decoder.embedding.weight", "decoder.output.weight", "decoder.output.bias"] {
        let (mine, theirs) = (try #require(mine[path]), try #require(theirs[path]))
        for (id, word) in Self.words.enumerated() where word != "zebra" {
          let place = try #require(TinyNetwork.words.firstIndex(of: word))
          #expect(Self.row(mine, id) == Self.row(theirs, place), "\(path) \(word)")
        }
        // The mean of the eight words that are no special ones.
        let known = (4..<12).map { Self.row(theirs, $0) }
        for (column, value) in Self.row(mine, 5).enumerated() {
          #expect(abs(value - known.reduce(0) { $0 + $1[column] } / 8) < 1e-6)
        }
      }
      for path in ["decoder.lstm.weight_xh", "decoder.lstm.bias", "decoder.image_to_hidden.weight"] {
        #expect(mine[path] == theirs[path], "\(path)")
      }
      // Its input is half as large here.
      let head = try #require(theirs["encoder.classifier.0.weight"])
      #expect(
        mine["encoder.classifier.0.weight"]
          == Tensor(Self.row(head.reshaped([1, 256]), 0).map { $0 * 2 }, [16, 16]))
    }
  }

  @Test func otherSizesAndCellsKeepWhatFits() throws {
    try withTemporaryFolder { folder in
      let gru = try Self.start(
        in: folder, DecoderDescription(embeddingSize: 6, hiddenSize: 8, cell: CellName(GRU.self)))
      #expect(gru.start.summary.taken == ["head", "word embedding", "output projection"])
      #expect(gru.start.summary.new == ["recurrent layers", "image weights of the decoder"])
      let wider = try Self.start(in: folder, DecoderDescription(embeddingSize: 6, hiddenSize: 9))
      #expect(wider.start.summary.taken == ["head", "word embedding"] && wider.start.summary.keptWords == 3)
      let all = try Self.start(in: folder, DecoderDescription(embeddingSize: 5, hiddenSize: 9))
      #expect(all.start.summary.taken == ["head"] && all.start.summary.keptWords == 0)
      let deeper = try Self.start(in: folder, DecoderDescription(embeddingSize: 6, hiddenSize: 8, layers: 2))
      #expect(deeper.start.summary.partly == ["recurrent layers"] && deeper.start.summary.new.isEmpty)
    }
  }

  /// A head over other convolutions sees other features.
  @Test func otherConvolutionsKeepWhatSeesNoImages() throws {
    try withTemporaryFolder { folder in
      for (start, _) in [try Self.start(in: folder, seed: 2), try Self.start(in: folder, head: .full)] {
        #expect(start.summary.taken == ["word embedding", "recurrent layers", "output projection"])
        #expect(start.summary.new == ["head", "image weights of the decoder"])
      }
      #expect(
        try Self.start(in: folder, seed: 2).start.summary.text.contains("its convolutions or their input"))
    }
  }

  /// What a model measured goes with its head: it is taken where the run normalises alike, and else nothing of the head is.
  @Test(arguments: [FeatureNormalizationName.mean, .none]) func measuredFeaturesGoWithTheHead(
    of name: FeatureNormalizationName
  ) throws {
    try withTemporaryFolder { folder in
      var metadata = TinyNetwork.metadata
      metadata["architecture"] = try #require(metadata["architecture"])
        .replacingOccurrences(of: "{", with: #"{"feature_normalization": "mean", "#)
      var tensors = TinyNetwork.tensors()
      let mean = Tensor([1, -2, 3, 0.5], [4])
      tensors["encoder.normalization.mean"] = mean
      try TinyNetwork.writeModel(to: folder + "/model.safetensors", metadata: metadata, tensors: tensors)
      let file = try SafetensorsFile(path: folder + "/model.safetensors")
      var description = try ModelDescription(of: file)
      description.encoder.normalization = name
      let start = try ModelStart(
        folder + "/model.safetensors", for: description, encoder: (file, ModelFile.encoderPrefix))
      #expect(start.hasNormalization == (name == .mean))
      #expect(start.summary.taken.contains("head") == (name == .mean))
      var network = TrainedNetwork(
        CaptionNetwork(description) { Tensor(zeros: $0.shape) }, description, convolutions: nil,
        mapShape: [0], microBatch: nil)
      try start.applyNormalization(to: &network)
      #expect(network.captions.normalization.mean?.value == (name == .mean ? mean : nil))
    }
  }
}
