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
  private static let others: [(name: String, usual: Double)] = [("use_bn", 0), ("logit_layers", 1)]

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
    for (name, usual) in Self.others {
      let found = options[name]?.double ?? usual
      guard found == usual else {
        throw .unsupported(
          path: path, expected: "\(name) \(Int(usual)), as our decoders have no other", found: "\(found)")
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
    case "att2in2", "att2in": parts = try Self.attention(&tensors, hidden: output[1], words, files)
    default:
      throw .unsupported(
        path: path,
        expected:
          "caption_model fc, newfc, show_tell or att2in2: our decoders are not as the others of \(title)",
        found: name.printable())
    }
    let encoder = try files.encoder(features: parts.imageSize, of: title)
    parts.tensors["decoder.output.weight"] = words.weight(try tensors.read("logit.weight", output))
    parts.tensors["decoder.output.bias"] = words.bias(try tensors.read("logit.bias", [output[0]]))
    if let channels = parts.description.attention?.channels, channels != encoder.architecture.channels {
      throw .unsupported(
        path: encoder.file.path, expected: "an encoder whose last map has \(channels) channels",
        found: "\(encoder.architecture.channels)")
    }
    return try ImportedCaptioner(
      title,
      ModelDescription(
        encoder: encoder.architecture, preprocessing: encoder.preprocessing, decoder: parts.description,
        vocabulary: words.vocabulary, training: ["source": "\(title) \(name)"]),
      encoder: encoder.file, prefix: encoder.prefix, decoder: parts.tensors,
      leftOver: tensors.leftOver.sorted(), path: files.model)
  }

  /// A decoder without what it ends in.
  private struct Parts {
    var description: DecoderDescription
    var tensors: [String: Tensor]
    /// D that it asks of an encoder.
    var imageSize: Int
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

  /// `att2in2` (AttModel.py): the LSTM of `fc`, whose two sums alone see what attention to the map's pixels has found; no
  /// other image. Words are rectified, which is done to the table here; biases before a sum are put into others.
  private static func attention(
    _ tensors: inout ForeignTensors, hidden: Int, _ words: ForeignWords, _ files: CaptionerFiles
  ) throws(ModelError) -> Parts {
    let table = try tensors.shape("embed.0.weight", rank: 2)
    let regions = try tensors.shape("att_embed.0.weight", rank: 2)
    let keys = try tensors.shape("ctx2att.weight", rank: 2)
    // The image's features are embedded, and not used.
    let image = try tensors.shape("fc_embed.0.weight", rank: 2)
    var description = DecoderDescription(
      embeddingSize: table[1], hiddenSize: hidden, cell: CellName(MaxoutLSTM.self), injection: .never)
    description.conditioning = .attention
    description.attention = AttentionDescription(
      channels: regions[1], valueSize: regions[0], keySize: keys[0])
    let name = "decoder.lstm-maxout"
    let seen = try tensors.read("core.a2c.weight", [2 * hidden, regions[0]])
    var toHidden = Tensor(zeros: [5 * hidden, regions[0]])
    (toHidden.mutablePointer() + 3 * hidden * regions[0]).update(from: seen.pointer, count: seen.count)
    var bias = try tensors.read("core.i2h.bias", [5 * hidden]).adding(
      try tensors.read("core.h2h.bias", [5 * hidden]))
    let seenBias = try tensors.read("core.a2c.bias", [2 * hidden])
    let scalars = bias.mutablePointer()
    for unit in 0..<2 * hidden { scalars[3 * hidden + unit] += seenBias[unit] }
    let at = "decoder.attention"
    return Parts(
      description: description,
      tensors: [
        "decoder.embedding.weight": words.embedding(
          try tensors.read("embed.0.weight", [words.count, table[1]]).rectified),
        name + ".weight_xh": try tensors.read("core.i2h.weight", [5 * hidden, table[1]]),
        name + ".weight_hh": try tensors.read("core.h2h.weight", [5 * hidden, hidden]), name + ".bias": bias,
        at + ".regions.weight": try tensors.read("att_embed.0.weight", regions),
        at + ".regions.bias": try tensors.read("att_embed.0.bias", [regions[0]]),
        at + ".keys.weight": try tensors.read("ctx2att.weight", [keys[0], regions[0]]),
        at + ".keys.bias": try tensors.read("ctx2att.bias", [keys[0]]).adding(
          try tensors.read("core.attention.h2att.bias", [keys[0]])),
        at + ".query.weight": try tensors.read("core.attention.h2att.weight", [keys[0], hidden]),
        at + ".scorer.weight": try tensors.read("core.attention.alpha_net.weight", [1, keys[0]]),
        at + ".to_hidden.weight": toHidden,
      ], imageSize: image[1])
  }
}
