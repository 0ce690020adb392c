internal import Imaging
internal import Kernels
internal import Support
internal import Tensors
internal import WeightFiles

/// neuraltalk2 (Karpathy 2015), whose checkpoints are Torch 7 files:
///
/// - `protos.cnn`, an `nn.Sequential`: VGG-16 up to its second FC layer, a linear layer to the encoding size and a ReLU
///   (misc/net_utils.lua). The first filters read RGB: they are turned round when the model is built.
/// - `protos.lm`, an `nn.LanguageModel`: a graph of LSTM layers with gates [i, f, o, g], and a table of V + 1 words, of which
///   the last is read first and ends captions. What is read before it is the image (misc/LanguageModel.lua, LSTM.lua).
/// - `vocab`: the words by number, from 1.
///
/// An image is stretched to 256×256; what begins 15 from its edges, 224×224, is seen in 0…255 less the mean.
struct NeuralTalk2: CaptionerImporter {
  let title = "neuraltalk2"

  func imported(_ content: CaptionerContent, _ files: CaptionerFiles) throws(ModelError) -> ImportedCaptioner?
  {
    guard case .torch7(let file) = content else { return nil }
    let protos = file[file.root, "protos"]
    let (cnn, model) = (file[protos, "cnn"], file[protos, "lm"])
    guard cnn != .null, model != .null else { return nil }
    let encoder = try TorchVGG(file, file.list(file[cnn, "modules"]), files)
    var decoder = try LanguageModel(file, model, files)
    let words = try decoder.words(file[file.root, "vocab"])

    var description = DecoderDescription(
      embeddingSize: decoder.inputSize, hiddenSize: decoder.hiddenSize, layers: decoder.layers,
      injection: .never)
    description.conditioning = .firstInput
    description.rectifiesInput = encoder.rectifies
    var tensors = try decoder.tensors(words)
    tensors["decoder.image_to_input.weight"] = encoder.projection.weight
    tensors["decoder.image_to_input.bias"] = encoder.projection.bias
    let preprocessing: Preprocessing
    do {
      preprocessing = try Preprocessing(
        width: 224, height: 224, resize: .stretchThenCrop(side: 256, margin: 15), channelOrder: .rgb,
        scale: .bytes, mean: [123.68, 116.779, 103.939], standardDeviation: [1, 1, 1])
    } catch { throw files.unsupported("a preprocessing", "\(error)") }
    let weights: SafetensorsFile
    do {
      weights = try SafetensorsFile(inMemory: encoder.tensors, metadata: [:], path: files.model)
    } catch { throw .weights(error) }
    return try ImportedCaptioner(
      title,
      ModelDescription(
        encoder: encoder.architecture, preprocessing: preprocessing, decoder: description,
        vocabulary: words.vocabulary, training: ["source": title]),
      encoder: weights, prefix: "", decoder: tensors, leftOver: [], path: files.model)
  }
}

/// The modules of an `nn.LanguageModel`.
private struct LanguageModel {
  private let file: Torch7File
  private let files: CaptionerFiles
  /// Words and one more.
  private let count: Int
  let inputSize: Int
  let hiddenSize: Int
  let layers: Int
  private let table: Torch7Value
  /// The linear layers of the graph by the names that it gives them.
  private let modules: [String: Torch7Value]

  init(_ file: Torch7File, _ model: Torch7Value, _ files: CaptionerFiles) throws(ModelError) {
    self.file = file
    self.files = files
    func size(_ name: String, atMost: Int) throws(ModelError) -> Int {
      let said = file.number(file[model, name])
      guard let said, said >= 1, said <= Double(atMost), said == said.rounded() else {
        throw files.unsupported("lm.\(name) of 1 to \(atMost)", said.map { "\($0)" } ?? "none")
      }
      return Int(saturating: said)
    }
    count = try size("vocab_size", atMost: 1 << 24) + 1
    inputSize = try size("input_encoding_size", atMost: 1 << 14)
    hiddenSize = try size("rnn_size", atMost: 1 << 14)
    layers =
      file[model, "num_layers"] == .null ? 1 : try size("num_layers", atMost: DecoderDescription.mostLayers)
    // Of clones all have the same weights.
    func module(_ name: String, _ clones: String) -> Torch7Value {
      let own = file[model, name]
      return own == .null ? file.list(file[model, clones]).first ?? .null : own
    }
    table = module("lookup_table", "lookup_tables")
    let graph = module("core", "clones")
    let nodes = file.list(file[graph, "forwardnodes"])
    var modules: [String: Torch7Value] = [:]
    for node in nodes.isEmpty ? file.list(file[file[graph, "fg"], "nodes"]) : nodes {
      let data = file[node, "data"]
      if let name = file.text(file[file[data, "annotations"], "name"]) {
        modules[name] = file[data, "module"]
      }
    }
    self.modules = modules
  }

  /// A tensor of a module, of the shape that it must have.
  private func tensor(_ module: Torch7Value, _ field: String, _ name: String, _ shape: Shape)
    throws(ModelError)
    -> Tensor
  {
    let value = file[module, field]
    guard file.shape(value) == shape, let tensor = file.read(value) else {
      throw files.unsupported(
        "lm.\(name).\(field) of shape \(shape)", file.shape(value).map { "shape \($0)" } ?? "none")
    }
    return tensor
  }

  private func linear(_ name: String, _ outputs: Int, _ inputs: Int) throws(ModelError) -> (
    weight: Tensor, bias: Tensor
  ) {
    let module = modules[name] ?? .null
    return (
      try tensor(module, "weight", name, [outputs, inputs]), try tensor(module, "bias", name, [outputs])
    )
  }

  /// The words by number, which JSON has made texts.
  func words(_ vocabulary: Torch7Value) throws(ModelError) -> ForeignWords {
    var words: [Int: String] = [:]
    for pair in file.pairs(vocabulary) {
      let number =
        file.text(pair.key).flatMap { Int($0) } ?? file.number(pair.key).map { Int(saturating: $0) }
      guard let number, (1..<count).contains(number), let word = file.text(pair.value) else {
        throw files.unsupported(
          "vocab of words with numbers 1 to \(count - 1)", number.map { "number \($0)" } ?? "another key")
      }
      words[number - 1] = word
    }
    return try ForeignWords(words, count: count, start: count - 1, end: count - 1, files)
  }

  /// All of the decoder but the way of the image.
  mutating func tensors(_ words: ForeignWords) throws(ModelError) -> [String: Tensor] {
    var tensors: [String: Tensor] = [:]
    tensors["decoder.embedding.weight"] = words.embedding(
      try tensor(table, "weight", "lookup_table", [count, inputSize]))
    for layer in 0..<layers {
      let name = "decoder.lstm" + (layer == 0 ? "" : "\(layer)")
      let input = try linear("i2h_\(layer + 1)", 4 * hiddenSize, layer == 0 ? inputSize : hiddenSize)
      let recurrent = try linear("h2h_\(layer + 1)", 4 * hiddenSize, hiddenSize)
      tensors[name + ".weight_xh"] = input.weight
      tensors[name + ".weight_hh"] = recurrent.weight
      tensors[name + ".bias"] = input.bias.adding(recurrent.bias)
    }
    let output = try linear("decoder", count, hiddenSize)
    tensors["decoder.output.weight"] = words.weight(output.weight)
    tensors["decoder.output.bias"] = words.bias(output.bias)
    return tensors
  }
}
