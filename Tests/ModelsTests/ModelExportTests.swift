import Foundation
import Kernels
import Layers
import Support
import Tensors
import TestSupport
import Testing
import WeightFiles

@testable import Models

/// Files for other programs, read by our own readers; `tools/golden/onnx_check.py` runs them with ONNX Runtime and PyTorch.
@Suite struct ModelExportTests {
  /// A tiny model of a kind, its tensors drawn as its description asks for them.
  private func writeModel(_ decoder: DecoderDescription, to path: String) throws {
    let tiny = path + ".tiny"
    try TinyNetwork.writeModel(to: tiny)
    let file = try SafetensorsFile(path: tiny)
    let old = try ModelDescription(of: file)
    let model = ModelDescription(
      encoder: old.encoder, preprocessing: old.preprocessing, decoder: decoder, vocabulary: old.vocabulary)
    var random = Random(seed: 3)
    let network = CaptionNetwork(model) { Tensor(uniform: $0.shape, limit: 0.5, using: &random) }
    try ModelFile.write(
      model, network, convolutionsOf: file, prefix: "encoder.", type: .float32, to: path)
  }

  private func decoder(
    _ conditioning: ConditioningName = .gates, cell: String = "lstm", injection: Injection = .everyStep
  ) throws -> DecoderDescription {
    var decoder = DecoderDescription(
      embeddingSize: 6, hiddenSize: 8, cell: try #require(CellName(rawValue: cell)), injection: injection)
    decoder.conditioning = conditioning
    if conditioning.attends {
      decoder.attention = AttentionDescription(channels: 4, valueSize: 5, keySize: 3)
    }
    return decoder
  }

  private func exported<R>(
    _ decoder: DecoderDescription, _ format: ModelExport, _ body: (String, SafetensorsFile) throws -> R
  ) throws -> R {
    try withTemporaryFolder { folder in
      let path = folder + "/model.safetensors"
      try writeModel(decoder, to: path)
      try format.write(modelAt: path, to: folder)
      for name in format.files {
        #expect(FileManager.default.fileExists(atPath: "\(folder)/\(name)"), "\(name)")
      }
      let words = try Data(contentsOf: URL(fileURLWithPath: folder + "/vocabulary.json"))
      #expect(try JSONDecoder().decode([String].self, from: words) == TinyNetwork.words)
      return try body(folder, SafetensorsFile(path: path))
    }
  }

  /// A ReLU more, between the image's linear layer and the gates.
  @Test func aRectifiedFirstInputIsOne() throws {
    func rectifications(_ isRectified: Bool) throws -> Int {
      var decoder = try decoder(.firstInput, injection: .never)
      decoder.rectifiesInput = isRectified
      return try exported(decoder, .onnx) { folder, _ in
        try #require(try NamedTensors.read(path: folder + "/encoder.onnx")).operations.count {
          $0.kind == "Relu"
        }
      }
    }
    #expect(try rectifications(true) == rectifications(false) + 1)
  }

  @Test func networksOfONNX() throws {
    try exported(decoder(.topDown), .onnx) { folder, model in
      let encoder = try #require(try NamedTensors.read(path: folder + "/encoder.onnx"))
      let decoder = try #require(try NamedTensors.read(path: folder + "/decoder.onnx"))
      #expect(encoder.metadata["opset"] == "17" && encoder.metadata["producer"] == "captioner")
      #expect(encoder.metadata["preprocessing"] == model.metadata["preprocessing"])
      #expect(encoder.metadata["vocabulary"] == nil)
      // Every parameter is in one of them, and as it was.
      for (name, entry) in model.entries where !name.contains("weight_hh") {
        let found = try #require(encoder[name] ?? decoder[name], "\(name)")
        #expect(try found.shape == entry.shape && found.read() == model.tensor(named: name), "\(name)")
      }
      #expect(encoder.operations.count { $0.kind == "Conv" } == 2)
      let given = Set(encoder.operations.flatMap(\.outputs))
      for name in ["v", "image_sums", "values", "keys", "h0", "c0", "h1", "c1"] {
        #expect(given.contains(name), "\(name)")
      }
      // What an operation reads was there before.
      for network in [encoder, decoder] {
        var known = Set(network.entries.map(\.name)).union([
          "pixels", "tokens", "image_sums", "values", "keys", "h0", "c0", "h1", "c1",
        ])
        for operation in network.operations {
          #expect(operation.inputs.allSatisfy(known.contains), "\(operation)")
          known.formUnion(operation.outputs)
        }
      }
    }
  }

  /// What the image is told as differs with the decoder.
  @Test(arguments: [
    (ConditioningName.gates, "lstm", Injection.everyStep, ["h0", "c0", "image_sums"]),
    (.gates, "gru", .firstStep, ["h0", "first_sums"]), (.gates, "rnn", .never, ["h0"]),
    (.firstInput, "lstm", .never, ["h0", "c0"]),
    (.attention, "lstm", .firstStep, ["h0", "c0", "first_sums", "values", "keys"]),
    (.attention, "gru", .never, ["h0", "values", "keys"]),
    (.topDown, "rnn", .firstStep, ["h0", "h1", "first_sums", "image_sums", "values", "keys"]),
  ]) func eachDecoderHasItsInputs(
    way: ConditioningName, cell: String, injection: Injection, names: [String]
  ) throws {
    try exported(decoder(way, cell: cell, injection: injection), .onnx) { folder, _ in
      let encoder = try ONNXModel.read(path: folder + "/encoder.onnx")
      let decoder = try ONNXModel.read(path: folder + "/decoder.onnx")
      let known = Set(decoder.entries.map(\.name) + decoder.operations.flatMap(\.outputs))
      let read = Set(decoder.operations.flatMap(\.inputs)).subtracting(known)
      #expect(read == Set(names + ["tokens"]))
      #expect(Set(names).isSubset(of: encoder.operations.flatMap(\.outputs)))
      let states = Set(names).subtracting(["image_sums", "values", "keys"]).map { "next_" + $0 }
      #expect(Set(states + ["log_probs"]).isSubset(of: decoder.operations.flatMap(\.outputs)))
    }
  }

  @Test func otherDecodersAreRefusedByName() throws {
    var multimodal = try decoder(.multimodal, injection: .never)
    multimodal.multimodalSize = 4
    var states = try decoder()
    states.initialStates = true
    for (sizes, says) in [
      (multimodal, "found conditioning multimodal"), (states, "found initial states"),
      (try decoder(cell: "lstm-peephole"), "found cell lstm-peephole"),
    ] {
      try withTemporaryFolder { folder in
        try writeModel(sizes, to: folder + "/model.safetensors")
        let error = #expect(throws: ModelError.self) {
          try ModelExport.onnx.write(modelAt: folder + "/model.safetensors", to: folder)
        }
        #expect(error.map { "\($0)" }?.contains(says) == true, "\(says)")
        #expect(!FileManager.default.fileExists(atPath: folder + "/encoder.onnx"))
      }
    }
  }

  @Test func weightsOfTorchAreAModelInSinglePrecision() throws {
    try exported(decoder(), .torch) { folder, model in
      let written = try SafetensorsFile(path: folder + "/weights.safetensors")
      #expect(written.metadata == model.metadata && written.entries.count == model.entries.count)
      for name in model.entries.keys {
        #expect(written.entries[name]?.typeName == "F32")
        #expect(try written.tensor(named: name) == model.tensor(named: name), "\(name)")
      }
    }
  }

  @Test func arraysOfNumPy() throws {
    try exported(decoder(), .npz) { folder, model in
      let archive = try ZipArchive(path: folder + "/weights.npz")
      #expect(archive.names == Set(model.entries.keys.map { $0 + ".npy" }))
      for (name, entry) in model.entries {
        let bytes = try archive.bytes(of: name + ".npy", limit: 1 << 20)
        #expect(bytes.prefix(8) == [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59, 1, 0])
        let size = 10 + Int(bytes[8]) + 256 * Int(bytes[9])
        #expect(size % 64 == 0 && bytes[size - 1] == 0x0A)
        let header = String(decoding: bytes[10..<size], as: UTF8.self)
        let extents = entry.shape.dimensions.map { "\($0)," }.joined(separator: " ")
        #expect(header.hasPrefix("{'descr': '<f4', 'fortran_order': False, 'shape': (\(extents)), }"))
        let scalars = bytes[size...].withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
        #expect(try scalars == model.tensor(named: name).scalars, "\(name)")
      }
      let text = try Data(contentsOf: URL(fileURLWithPath: folder + "/description.json"))
      let description = try #require(try JSONSerialization.jsonObject(with: text) as? [String: Any])
      #expect((description["architecture"] as? [String: Any])?["hidden_size"] as? Int == 8)
    }
  }
}
