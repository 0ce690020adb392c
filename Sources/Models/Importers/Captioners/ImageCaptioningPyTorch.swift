internal import Kernels
internal import Language
internal import Support
internal import Tensors
internal import WeightFiles

/// ImageCaptioning.pytorch (Luo), whose models are two files: `model.pth`, tensors by name, and `infos.pkl`, with the options
/// `opt` and the words `vocab`. Row 0 of the words is read first, class 0 ends captions.
///
/// Its images are features that it computes before: an encoder beside it, of the kind that it was trained on.
struct ImageCaptioningPyTorch: CaptionerImporter {
  let title = "ImageCaptioning.pytorch"

  /// Options that make another network of one of the same name.
  private static let others: [(name: String, most: Double)] = [("use_bn", 1), ("logit_layers", 1)]

  func imported(_ content: CaptionerContent, _ files: CaptionerFiles) throws(ModelError) -> ImportedCaptioner?
  {
    guard case .python(let root) = content, let pairs = root.pairs else { return nil }
    var entries: [NamedTensors.Entry] = []
    for (key, value) in pairs {
      guard let name = key.string, let tensor = value.tensor else { continue }
      entries.append(
        .init(name: name, shape: tensor.shape, typeName: tensor.typeName) { () throws(WeightFileError) in
          tensor.read()
        })
    }
    var tensors = ForeignTensors(entries, files)
    guard tensors.shape("logit.weight") != nil || files.infos != nil else { return nil }
    guard let path = files.infos else {
      throw files.unsupported(
        "the options and words of a model of \(title) beside it: --infos infos.pkl", "none")
    }
    let infos: PickleValue
    do { infos = try PickleValue.read(path: path) } catch { throw .foreign(error) }
    guard let options = infos["opt"], options.pairs != nil, let vocabulary = infos["vocab"]?.pairs else {
      throw .unsupported(path: path, expected: "opt and vocab", found: "another pickle")
    }
    for (name, most) in Self.others {
      let found = options[name]?.double ?? most
      guard found <= most else {
        throw .unsupported(
          path: path, expected: "\(name) of at most \(Int(most)), as our decoders have no other",
          found: "\(found)")
      }
    }
    let output = try tensors.shape("logit.weight", rank: 2)
    let words = try Self.words(vocabulary, count: output[0], files, path)
    let name = options["caption_model"]?.string ?? "none"
    var parts: Parts
    switch name {
    case "fc": parts = try Self.maxout(&tensors, core: "core", image: "img_embed", hidden: output[1], words)
    case "newfc":
      parts = try Self.maxout(&tensors, core: "_core", image: "fc_embed", hidden: output[1], words)
    case "show_tell":
      let kind = options["rnn_type"]?.string ?? "lstm"
      guard ["lstm", "rnn"].contains(kind.lowercased()) else {
        throw .unsupported(
          path: path, expected: "rnn_type lstm or rnn, as our GRU's reset gate acts before the product",
          found: kind.printable())
      }
      parts = try Self.plain(&tensors, isLSTM: kind.lowercased() == "lstm", hidden: output[1], words, files)
    case "att2in2", "att2in": parts = try Self.attention(&tensors, hidden: output[1], words)
    case "topdown", "updown": parts = try Self.topDown(&tensors, hidden: output[1], words)
    default:
      throw .unsupported(
        path: path,
        expected:
          "caption_model fc, newfc, show_tell, att2in2 or topdown: our decoders are not as the others of \(title)",
        found: name.printable())
    }
    let (encoder, architecture) = try Self.encoder(of: parts, name, files, title)
    parts.tensors["decoder.output.weight"] = words.weight(try tensors.read("logit.weight", output))
    parts.tensors["decoder.output.bias"] = words.bias(try tensors.read("logit.bias", [output[0]]))
    return try ImportedCaptioner(
      title,
      ModelDescription(
        encoder: architecture, preprocessing: encoder.preprocessing, decoder: parts.description,
        vocabulary: words.vocabulary, training: ["source": "\(title) \(name)"]),
      encoder: encoder.file, prefix: encoder.prefix, decoder: parts.tensors,
      leftOver: tensors.leftOver.sorted(), path: files.model)
  }

  /// What a decoder sees images by, and the network of that with the layer that is learnt.
  private static func encoder(
    of parts: Parts, _ name: String, _ files: CaptionerFiles, _ title: String
  ) throws(ModelError) -> (EncoderSource, VGGArchitecture) {
    let channels = parts.description.attention?.channels
    if parts.head != nil, let encoder = files.encoder, encoder.architecture.given == nil {
      throw files.unsupported(
        "features made elsewhere, as a layer of \(name) follows them: --features 14x14x\(channels ?? 1)",
        "an encoder")
    }
    let encoder = try files.encoder(features: parts.imageSize, regions: channels, of: title)
    guard let head = parts.head else { return (encoder, encoder.architecture) }
    guard let learnt = encoder.architecture.replacing(head: .compact, featureSize: head) else {
      throw files.unsupported("a layer behind the features that can be run", "one of \(head)")
    }
    return (encoder, learnt)
  }

  /// A decoder without what it ends in.
  struct Parts {
    var description: DecoderDescription
    var tensors: [String: Tensor]
    /// D that it asks of an encoder; nil: v is of no account.
    var imageSize: Int?
    /// How many numbers the layer gives that makes v of given features, among the tensors; nil: there is none.
    var head: Int?
  }

  private static func words(
    _ vocabulary: [(key: PickleValue, value: PickleValue)], count: Int, _ files: CaptionerFiles,
    _ path: String
  ) throws(ModelError) -> ForeignWords {
    var words: [Int: String] = [:]
    for (key, value) in vocabulary {
      let number = key.integer ?? key.string.flatMap { Int($0) }
      guard let number, (1..<count).contains(number), let word = value.string else {
        throw .unsupported(
          path: path, expected: "vocab of words with numbers 1 to \(count - 1), as many as the model has",
          found: number.map { "number \($0)" } ?? "another key")
      }
      words[number] = word
    }
    return try ForeignWords(words, count: count, start: 0, end: 0, files)
  }

  /// `fc` and `newfc` (FCModel.py, AttModel.py): an LSTM of the larger of two sums; the image is read before the first word.
  private static func maxout(
    _ tensors: inout ForeignTensors, core: String, image: String, hidden: Int, _ words: ForeignWords
  ) throws(ModelError) -> Parts {
    let embedding = try tensors.shape(image + ".weight", rank: 2)
    var description = DecoderDescription(
      embeddingSize: embedding[0], hiddenSize: hidden, cell: CellName(MaxoutLSTM.self), injection: .never)
    description.conditioning = .firstInput
    let name = "decoder.lstm-maxout"
    let size = embedding[0]
    return Parts(
      description: description,
      tensors: [
        "decoder.embedding.weight": words.embedding(try tensors.read("embed.weight", [words.count, size])),
        name + ".weight_xh": try tensors.read(core + ".i2h.weight", [5 * hidden, size]),
        name + ".weight_hh": try tensors.read(core + ".h2h.weight", [5 * hidden, hidden]),
        name + ".bias": try tensors.read(core + ".i2h.bias", [5 * hidden]).adding(
          try tensors.read(core + ".h2h.bias", [5 * hidden])),
        "decoder.image_to_input.weight": try tensors.read(image + ".weight", embedding),
        "decoder.image_to_input.bias": try tensors.read(image + ".bias", [size]),
      ], imageSize: embedding[1])
  }

  /// `show_tell` (ShowTellModel.py): PyTorch's own LSTM, gates [i, f, g, o], or RNN, without biases; the image is read before
  /// the first word.
  private static func plain(
    _ tensors: inout ForeignTensors, isLSTM: Bool, hidden: Int, _ words: ForeignWords, _ files: CaptionerFiles
  ) throws(ModelError) -> Parts {
    let embedding = try tensors.shape("img_embed.weight", rank: 2)
    let size = embedding[0]
    let layers = (0..<64).prefix { tensors.shape("core.weight_ih_l\($0)") != nil }.count
    guard (1...DecoderDescription.mostLayers).contains(layers) else {
      throw files.unsupported("core of 1 to \(DecoderDescription.mostLayers) layers", "\(layers)")
    }
    let cell = isLSTM ? CellName.lstm : CellName(RNN.self)
    var description = DecoderDescription(
      embeddingSize: size, hiddenSize: hidden, layers: layers, cell: cell, injection: .never)
    description.conditioning = .firstInput
    var found = [
      "decoder.embedding.weight": words.embedding(try tensors.read("embed.weight", [words.count, size])),
      "decoder.image_to_input.weight": try tensors.read("img_embed.weight", embedding),
      "decoder.image_to_input.bias": try tensors.read("img_embed.bias", [size]),
    ]
    let gates = isLSTM ? 4 : 1
    let order = isLSTM ? [0, 1, 3, 2] : [0]
    for layer in 0..<layers {
      let name = "decoder.\(cell.rawValue)" + (layer == 0 ? "" : "\(layer)")
      let inputs = layer == 0 ? size : hidden
      found[name + ".weight_xh"] = try tensors.read("core.weight_ih_l\(layer)", [gates * hidden, inputs])
        .gates(order)
      found[name + ".weight_hh"] = try tensors.read("core.weight_hh_l\(layer)", [gates * hidden, hidden])
        .gates(order)
      found[name + ".bias"] = Tensor(zeros: [gates * hidden])
    }
    return Parts(description: description, tensors: found, imageSize: embedding[1])
  }
}
