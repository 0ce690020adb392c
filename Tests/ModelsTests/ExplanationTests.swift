import Layers
import Support
import TestSupport
import Tensors
import Testing

@testable import Models

@Suite struct ExplanationTests {
  private static func image() -> Tensor {
    var random = Random(seed: 12)
    return Tensor(uniform: [1, 32, 32, 3], limit: 2, using: &random)
  }

  /// The tiny model, or one of its convolutions that attends to regions, from a file.
  private static func model(_ conditioning: ConditioningName) throws -> CaptionModel {
    try withTemporaryFolder { folder in
      let path = folder + "/model.safetensors"
      try TinyNetwork.writeModel(to: path)
      guard conditioning.attends else { return try CaptionModel(contentsOf: path, caching: .resident) }
      let file = try SafetensorsFile(path: path)
      var description = try ModelDescription(of: file)
      description.decoder.conditioning = conditioning
      description.decoder.attention = AttentionDescription(channels: 4, valueSize: 5, keySize: 3, scale: 0.5)
      var random = Random(seed: 13)
      let network = CaptionNetwork(description) {
        Tensor(uniform: $0.shape, limit: 1.2, using: &random)
      }
      let attending = folder + "/attending.safetensors"
      try ModelFile.write(
        description, network, convolutionsOf: file, prefix: ModelFile.encoderPrefix, type: .float32,
        to: attending)
      return try CaptionModel(contentsOf: attending, caching: .resident)
    }
  }

  /// A model with attention tells where it looks: shares of the last map's pixels, another for another word.
  @Test(arguments: [ConditioningName.attention, .hardAttention, .topDown]) func attentionIsShares(
    way: ConditioningName
  )
    throws
  {
    let found = try Self.model(way).explanation(of: [4, 5, 7], Self.image())
    #expect(found.kind == .attention && found.rows == 8 && found.columns == 8)
    #expect(found.weights.count == 4)
    for weights in found.weights {
      #expect(weights.count == 64 && weights.allSatisfy { $0 >= 0 })
      #expect(abs(weights.reduce(0, +) - 1) < 1e-4)
    }
    #expect(found.weights[0] != found.weights[1])
  }

  /// Of any other, a cell counts what covering it costs a word.
  @Test func occlusionIsWhatCoveringCosts() throws {
    let model = try Self.model(.gates)
    let image = Self.image()
    let words: [Int32] = [4, 5]
    let found = try model.explanation(of: words, image)
    #expect(found.kind == .occlusion && found.rows == 7 && found.columns == 7)
    #expect(found.weights.map(\.count) == [49, 49, 49])
    #expect(found.weights.joined().contains { $0 > 0 })
    // The cell in row 2, column 3, with half a cell around it.
    var covered = image
    covered.withUnsafeMutableBufferPointer { pixels in
      for y in 3 * 32 / 14..<7 * 32 / 14 {
        for x in 5 * 32 / 14..<9 * 32 / 14 {
          for channel in 0..<3 { pixels[(y * 32 + x) * 3 + channel] = 0 }
        }
      }
    }
    let whole = model.logProbs(of: [words], rows: [0], maps: try model.maps(image))[0]
    let without = model.logProbs(of: [words], rows: [0], maps: try model.maps(covered))[0]
    for word in whole.indices {
      #expect(abs(found.weights[word][2 * 7 + 3] - max(0, whole[word] - without[word])) < 1e-4)
    }
  }
}
