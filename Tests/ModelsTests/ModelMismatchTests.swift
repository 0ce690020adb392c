import Kernels
import Imaging
import Language
import Layers
import Testing

@testable import Models

@Suite struct ModelMismatchTests {
  private static func description(
    words: [String] = ["a", "dog"], embedding: Int = 8, hidden: Int = 16, layers: Int = 1,
    isResidual: Bool = false, cell: CellName = .lstm, feature: Int = 32,
    head: VGGArchitecture.Head = .compact, table: String = "8,pool", injection: Injection = .everyStep,
    preprocessing: Preprocessing = .torchvision
  ) throws -> ModelDescription {
    var decoder = DecoderDescription(
      embeddingSize: embedding, hiddenSize: hidden, layers: layers, cell: cell, injection: injection)
    decoder.isResidual = isResidual
    return ModelDescription(
      encoder: VGGArchitecture(table: table, head: head, featureSize: feature)!, preprocessing: preprocessing,
      decoder: decoder,
      vocabulary: try Vocabulary(words: Vocabulary.specialWords + words))
  }

  /// Whatever differs is named; where a model comes from, and its confidence, may.
  @Test func namesWhatDoesNotFit() throws {
    let run = try Self.description()
    var same = run
    same.training = ["seed": "2"]
    try run.check(same, at: "m")
    let others: [(ModelDescription, String)] = try [
      (
        Self.description(words: ["a", "cat"]), #"the same vocabulary, in which word 5 is "dog", found "cat""#
      ),
      (Self.description(words: ["a", "dog", "runs"]), "words 6, found 7"),
      (Self.description(embedding: 9), "embedding size 8, found 9"),
      (Self.description(hidden: 12), "hidden size 16, found 12"),
      (Self.description(layers: 2), "layers 1, found 2"),
      (Self.description(isResidual: true), "residual false, found true"),
      (Self.description(cell: CellName(GRU.self)), "cell lstm, found gru"),
      (Self.description(feature: 64), "feature size 32, found 64"),
      (Self.description(head: .full), "head compact, found full"),
      (Self.description(table: "9,pool"), "convolutions 8,pool, found 9,pool"),
      (Self.description(injection: .firstStep), "injection everyStep, found firstStep"),
    ]
    var remembering = run
    remembering.decoder.memorySize = 7
    #expect(throws: ModelError.unsupported(path: "m", expected: "visual memory none", found: "7")) {
      try run.check(remembering, at: "m")
    }
    var joined = run
    joined.decoder.multimodalSize = 7
    #expect(throws: ModelError.unsupported(path: "m", expected: "multimodal layer none", found: "7")) {
      try run.check(joined, at: "m")
    }
    var (activated, whitened, normalized) = (run, run, run)
    activated.encoder.activation = .prelu
    (whitened.encoder.normalization, whitened.encoder.whiteningComponents) = (.whiten, 9)
    normalized.encoder.batchNormalization = true
    let encoders = [
      (activated, "activation relu, found prelu"),
      (whitened, "feature normalization none, found whiten to 9"),
      (normalized, "batch normalisation false, found true"),
    ]
    for (other, expected) in others + encoders {
      let error = try #require(throws: ModelError.self) { try run.check(other, at: "m") }
      #expect("\(error)" == "m: expected \(expected)")
    }
    let caffe = try Self.description(preprocessing: .caffe)
    let error = "\(try #require(throws: ModelError.self) { try run.check(caffe, at: "m") })"
    #expect(error.contains("expected preprocessing {") && error.contains("103.939"), "\(error)")
  }
}
