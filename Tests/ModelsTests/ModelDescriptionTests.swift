import Foundation
import Imaging
import Kernels
import Language
import Layers
import Tensors
import TestSupport
import Testing

@testable import Models

private func description(_ injection: Injection, _ head: VGGArchitecture.Head) throws -> ModelDescription {
  ModelDescription(
    encoder: try #require(VGGArchitecture(table: "8,8,pool,4,pool", head: head, featureSize: 5)),
    preprocessing: .caffe, decoder: DecoderDescription(embeddingSize: 6, hiddenSize: 7, injection: injection),
    vocabulary: try Vocabulary(words: Vocabulary.specialWords + ["\"ü\\", "x"]), training: ["seed": "1"])
}

/// What a file with that metadata is refused with; nil when it is accepted.
private func refusal(_ metadata: [String: String]) throws -> ModelError? {
  try withTemporaryFolder { folder in
    let path = folder + "/model.safetensors"
    try SafetensorsWriter.write([], metadata: metadata, to: path)
    do {
      _ = try ModelDescription(of: SafetensorsFile(path: path))
      return nil
    } catch let error as ModelError {
      #expect(error.description.hasPrefix(path + ": expected "))
      #expect(!error.description.contains("\n"))
      return error
    }
  }
}

@Suite struct ModelDescriptionTests {
  @Test(arguments: Injection.allCases, [VGGArchitecture.Head.compact, .compact2, .full])
  func survivesTheFile(injection: Injection, head: VGGArchitecture.Head) throws {
    try withTemporaryFolder { folder in
      let (path, written) = (folder + "/model.safetensors", try description(injection, head))
      try SafetensorsWriter.write([], metadata: written.metadata(), to: path)
      #expect(try ModelDescription(of: SafetensorsFile(path: path)) == written)
    }
  }

  /// The keys and values as other programs know them.
  @Test func formatIsAContract() throws {
    let metadata = try description(.firstStep, .compact2).metadata()
    #expect(
      metadata["architecture"]
        == #"{"convolutions":"8,8,pool,4,pool","embedding_size":6,"feature_size":5,"head":"compact2","hidden_size":7,"injection":"firstStep"}"#
    )
    #expect(metadata["vocabulary"] == #"["<pad>","<s>","</s>","<unk>","\"ü\\","x"]"#)
    #expect(metadata["format"] == "captioner" && metadata["format_version"] == "1")
    #expect(metadata["tokenizer"] == "ptb-caption" && metadata["training"] == #"{"seed":"1"}"#)
    #expect(try refusal(TinyNetwork.metadata) == nil)
  }

  @Test func aRectifiedInputIsWritten() throws {
    var written = try description(.never, .full)
    written.decoder.conditioning = .firstInput
    written.decoder.rectifiesInput = true
    #expect(try #require(written.metadata()["architecture"]).contains(#""rectified_input":true"#))
    try withTemporaryFolder { folder in
      let path = folder + "/model.safetensors"
      try SafetensorsWriter.write([], metadata: written.metadata(), to: path)
      #expect(try ModelDescription(of: SafetensorsFile(path: path)) == written)
      written.decoder.conditioning = .gates
      try SafetensorsWriter.write([], metadata: written.metadata(), to: path)
      #expect(throws: ModelError.self) { try ModelDescription(of: SafetensorsFile(path: path)) }
    }
  }

  /// What attention and states are made of survives the file; what does not go together is named.
  @Test func attentionIsWrittenAsItIs() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/model.safetensors"
      var written = try description(.never, .compact2)
      (written.encoder.featureScale, written.decoder.conditioning) = (0.5, .attention)
      for (each, comparison, linear) in [(false, Attention.Comparison.tanh, false), (true, .relu, true)] {
        written.decoder.attention = AttentionDescription(
          channels: 4, valueSize: 3, keySize: 2, gated: true, gatesEach: each, comparison: comparison)
        (written.decoder.initialStates, written.decoder.linearStates) = (true, linear)
        let metadata = try written.metadata()
        try SafetensorsWriter.write([], metadata: metadata, to: path)
        #expect(try ModelDescription(of: SafetensorsFile(path: path)) == written)
        let text = try #require(metadata["architecture"])
        for name in ["gates_each", "comparison", "linear_states"] { #expect(text.contains(name) == linear) }
        guard each else { continue }
        for (old, new, says) in [
          (#""gated":true"#, #""gated":false"#, "a gate for each number without a gate"),
          (#""initial_states":true,"#, "", "linear initial states without initial states"),
          (#""feature_scale":0.5"#, #""feature_scale":0"#, "a feature_scale above 0"),
        ] {
          #expect(text.contains(old))
          var changed = metadata
          changed["architecture"] = text.replacingOccurrences(of: old, with: new)
          #expect(try #require(try refusal(changed)).description.contains(says))
        }
      }
    }
  }

  /// What is usual of an encoder is not written; what is not survives the file, and what makes no sense is named.
  @Test func encodersAreWrittenWhereTheyAreOthers() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/model.safetensors"
      for activation in ActivationName.allCases {
        for normalization in FeatureNormalizationName.allCases {
          var written = try description(.everyStep, .compact2)
          (written.encoder.activation, written.encoder.normalization) = (activation, normalization)
          written.encoder.batchNormalization = activation == .elu
          if normalization == .whiten { written.encoder.whiteningComponents = 3 }
          try SafetensorsWriter.write([], metadata: written.metadata(), to: path)
          #expect(try ModelDescription(of: SafetensorsFile(path: path)) == written)
        }
      }
    }
    var metadata = TinyNetwork.metadata
    let architecture = try #require(metadata["architecture"])
    for (keys, says) in [
      (#""activation": "swish""#, "an activation among relu, leaky-relu"),
      (#""feature_normalization": "zca""#, "a feature_normalization among none, mean"),
      (#""feature_normalization": "whiten""#, "whitening_components of 1 to 16, found 0"),
      (
        #""feature_normalization": "whiten", "whitening_components": 99999999999"#,
        "whitening_components of 1 to 16, found 99999999999"
      ),
    ] {
      metadata["architecture"] = architecture.dropLast() + ", \(keys)}"
      #expect(try #require(try refusal(metadata)).description.contains(says), "\(keys)")
    }
  }

  /// Nor is an LSTM; another cell is, and one that nobody knows is refused by its name.
  @Test func cellsAreWrittenWhereTheyAreOthers() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/model.safetensors"
      var written = try description(.everyStep, .compact)
      for cell in CellName.allCases {
        written.decoder.cell = cell
        written.decoder.embeddingSize = cell.cell.directInput == nil ? 6 : 7
        let metadata = try written.metadata()
        #expect(
          metadata["architecture"]?.contains(#""cell":"\#(cell.rawValue)""#) == (cell != .lstm))
        try SafetensorsWriter.write([], metadata: metadata, to: path)
        #expect(try ModelDescription(of: SafetensorsFile(path: path)) == written)
      }
      let strange = try #require(try written.metadata()["architecture"]).replacingOccurrences(
        of: #""cell":"irnn""#, with: #""cell":"abacus""#)
      let refused = try refusal(TinyNetwork.metadata.merging(["architecture": strange]) { $1 })
      let names = CellName.allCases.map(\.rawValue).joined(separator: ", ")
      #expect("\(try #require(refused))".contains("expected a cell among \(names), found abacus"))
    }
  }

  /// Where a gate reads the embedding itself, that has the layer's size.
  @Test func sizesThatDoNotGoWithTheCellAreRefused() throws {
    for cell in recurrentCells {
      var written = try description(.everyStep, .compact)
      written.decoder.cell = CellName(cell)
      let refused = try refusal(written.metadata())
      #expect((refused == nil) == (cell.directInput == nil))
      if let refused {
        #expect(
          "\(refused)".contains("cell \(cell.name)") && "\(refused)".contains("expected embedding_size 7"))
      }
    }
    #expect(recurrentCells.count { $0.directInput != nil } == 2)
  }

  /// A multimodal layer has a size, and only what has one.
  @Test func multimodalLayersAreWritten() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/model.safetensors"
      var written = try description(.everyStep, .compact)
      #expect(try written.metadata()["architecture"]?.contains("multimodal") == false)
      written.decoder.conditioning = .multimodal
      let sizeless = "\(try #require(try refusal(written.metadata())))"
      #expect(sizeless.contains("multimodal without the size of a multimodal layer"), "\(sizeless)")
      written.decoder.multimodalSize = 9
      try SafetensorsWriter.write([], metadata: written.metadata(), to: path)
      #expect(try ModelDescription(of: SafetensorsFile(path: path)) == written)
      for size in [0, -1, 1 << 15, .max] {
        written.decoder.multimodalSize = size
        #expect(try "\(#require(try refusal(written.metadata())))".contains("a multimodal layer of \(size)"))
      }
      written.decoder.multimodalSize = 9
      written.decoder.initialStates = true
      #expect(try "\(#require(try refusal(written.metadata())))".contains("multimodal with"))
      (written.decoder.initialStates, written.decoder.conditioning) = (false, .gates)
      #expect(try "\(#require(try refusal(written.metadata())))".contains("gates with the size"))
    }
  }

  /// So has a visual memory, beside one layer of a cell none of whose gates reads its input itself.
  @Test func visualMemoriesAreWritten() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/model.safetensors"
      var written = try description(.everyStep, .compact)
      written.decoder.conditioning = .visualMemory
      #expect(
        try "\(#require(try refusal(written.metadata())))".contains("without the size of a visual memory"))
      written.decoder.memorySize = 9
      #expect(try written.metadata()["architecture"]?.contains(#""memory_size":9"#) == true)
      try SafetensorsWriter.write([], metadata: written.metadata(), to: path)
      #expect(try ModelDescription(of: SafetensorsFile(path: path)) == written)
      for size in [0, -1, 1 << 15, .max] {
        written.decoder.memorySize = size
        #expect(try "\(#require(try refusal(written.metadata())))".contains("a visual memory of \(size)"))
      }
      written.decoder.memorySize = 9
      written.decoder.layers = 2
      #expect(try "\(#require(try refusal(written.metadata())))".contains("a visual memory beside 2 layers"))
      (written.decoder.layers, written.decoder.embeddingSize) = (1, 7)
      written.decoder.cell = CellName(MUT1.self)
      #expect(try "\(#require(try refusal(written.metadata())))".contains("visual-memory with cell mut1"))
      written.decoder.cell = .lstm
      written.decoder.conditioning = .gates
      #expect(try "\(#require(try refusal(written.metadata())))".contains("gates with the size of a visual"))
    }
  }

  /// Layers that pass on h alone are not written as such.
  @Test func residualLayersAreWritten() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/model.safetensors"
      var written = try description(.everyStep, .compact)
      for isResidual in [false, true] {
        written.decoder.isResidual = isResidual
        let metadata = try written.metadata()
        #expect(metadata["architecture"]?.contains(#""residual":true"#) == isResidual)
        try SafetensorsWriter.write([], metadata: metadata, to: path)
        #expect(try ModelDescription(of: SafetensorsFile(path: path)) == written)
      }
    }
  }

  /// One layer is not written: such files are those that other versions read and wrote.
  @Test func layersAreWrittenWhereThereAreSeveral() throws {
    try withTemporaryFolder { folder in
      var (path, written) = (folder + "/model.safetensors", try description(.everyStep, .compact))
      for layers in 1...4 {
        written.decoder.layers = layers
        let metadata = try written.metadata()
        #expect(metadata["architecture"]?.contains(#""layers":\#(layers)"#) == (layers > 1))
        try SafetensorsWriter.write([], metadata: metadata, to: path)
        #expect(try ModelDescription(of: SafetensorsFile(path: path)).decoder.layers == layers)
      }
      path = try written.metadata()["architecture"]!
      for layers in ["0", "5", "-1", "9223372036854775807", "1.5", "\"2\""] {
        let changed = path.replacingOccurrences(of: #""layers":4"#, with: #""layers":\#(layers)"#)
        let metadata = TinyNetwork.metadata.merging(["architecture": changed]) { $1 }
        #expect(try "\(#require(try refusal(metadata)))".contains("architecture"))
      }
    }
  }

  @Test func missingKeysAreNamed() throws {
    for key in TinyNetwork.metadata.keys {
      var metadata = TinyNetwork.metadata
      metadata[key] = nil
      #expect(try "\(#require(try refusal(metadata)))".contains(key), "\(key)")
    }
    #expect(try refusal([:]) != nil)
  }

  @Test(arguments: [
    ("format", "pt"), ("format_version", "2"), ("tokenizer", "bpe"), ("training", "[]"),
    ("training", "{\"a\": 1}"),
    ("vocabulary", "[]"), ("vocabulary", #"["a"]"#),
    ("vocabulary", #"["<pad>", "<s>", "</s>", "<unk>", "a", "a"]"#),
    ("vocabulary", #"["<pad>", "<s>", "</s>", "<unk>", ""]"#),
    ("vocabulary", #"["<pad>", "<s>", "</s>", "<unk>", 3]"#),
    ("vocabulary", ""), ("vocabulary", String(repeating: "[", count: 100_000)), ("architecture", "{}"),
    ("preprocessing", "{}"), ("preprocessing", "null"),
  ]) func damagedValuesAreRefused(key: String, value: String) throws {
    #expect(try "\(#require(try refusal(TinyNetwork.metadata.merging([key: value]) { $1 })))".contains(key))
  }

  @Test(arguments: [
    ("convolutions", "\"\""), ("convolutions", "\"pool,4\""), ("convolutions", "\"4,pool,-4\""),
    ("convolutions", "\"4,,4\""), ("convolutions", "\"99999999999999999999\""), ("convolutions", "4"),
    ("convolutions", "\"16385\""), ("head", "\"none\""), ("head", "\"big\""), ("feature_size", "0"),
    ("feature_size", "65537"), ("feature_size", "9223372036854775807"), ("embedding_size", "0"),
    ("embedding_size", "16385"), ("hidden_size", "-8"), ("hidden_size", "1e99"), ("hidden_size", "1.5"),
    ("injection", "\"always\""),
  ]) func impossibleArchitecturesAreRefused(key: String, value: String) throws {
    let good = try #require(TinyNetwork.metadata["architecture"])
    let changed = good.replacingOccurrences(
      of: #""\#(key)": ("[^"]*"|[0-9]+)"#, with: #""\#(key)": \#(value)"#, options: .regularExpression)
    try #require(changed != good)
    #expect(
      try "\(#require(try refusal(TinyNetwork.metadata.merging(["architecture": changed]) { $1 })))".contains(
        "architecture"))
  }

  @Test(arguments: [
    ("width", "0"), ("width", "4097"), ("height", "-1"), ("resize", "\"zoom\""), ("scale", "\"0..2\""),
    ("channelOrder", "\"grb\""), ("mean", "[0.5]"), ("mean", "[1e99, 0, 0]"),
    ("standardDeviation", "[0, 1, 1]"),
  ]) func impossiblePreprocessingIsRefused(key: String, value: String) throws {
    let good = try #require(TinyNetwork.metadata["preprocessing"])
    let changed = good.replacingOccurrences(
      of: #""\#(key)": ("[^"]*"|[0-9]+|\[[^\]]*\])"#, with: #""\#(key)": \#(value)"#,
      options: .regularExpression)
    try #require(changed != good)
    #expect(
      try "\(#require(try refusal(TinyNetwork.metadata.merging(["preprocessing": changed]) { $1 })))"
        .contains(
          "preprocessing"))
  }
}
