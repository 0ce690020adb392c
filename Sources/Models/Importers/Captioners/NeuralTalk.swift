internal import Kernels
internal import Language
internal import Tensors
internal import WeightFiles

/// neuraltalk (Karpathy & Fei-Fei 2015), whose checkpoints are pickles of Python 2: `model` of NumPy's arrays, which multiply
/// from the right, `params`, and `ixtoword`. Row 0 of the words is read first, class 0 ends captions.
///
/// Its images are features of VGG-16's second FC layer, which other programs compute: an encoder beside it.
struct NeuralTalk: CaptionerImporter {
  let title = "neuraltalk"

  func imported(_ content: CaptionerContent, _ files: CaptionerFiles) throws(ModelError) -> ImportedCaptioner?
  {
    guard case .python(let root) = content, let model = root["model"]?.pairs,
      let vocabulary = root["ixtoword"]?.pairs
    else { return nil }
    var entries: [NamedTensors.Entry] = []
    for (key, value) in model {
      guard let name = key.string, let tensor = value.tensor else { continue }
      entries.append(
        .init(name: name, shape: tensor.shape, typeName: tensor.typeName) { () throws(WeightFileError) in
          tensor.read()
        })
    }
    var tensors = ForeignTensors(entries, files)
    let image = try tensors.shape("We", rank: 2)
    let table = try tensors.shape("Ws", rank: 2)
    let output = try tensors.shape("Wd", rank: 2)
    let encoder = try files.encoder(features: image[0], of: title)
    var words: [Int: String] = [:]
    for (key, value) in vocabulary {
      guard let number = key.integer, (0..<output[1]).contains(number), let word = value.string else {
        throw files.unsupported(
          "ixtoword of words by number, 0 to \(output[1] - 1)", key.integer.map { "\($0)" } ?? "another key")
      }
      words[number] = word
    }
    guard table[0] == output[1] else {
      throw files.unsupported("as many words in Ws as in Wd, \(output[1])", "\(table[0])")
    }
    let known = try ForeignWords(words, count: output[1], start: 0, end: 0, files)

    let params = root["params"]
    func flag(_ name: String) -> Bool { (params?[name]?.double ?? 0) != 0 }
    let generator = params?["generator"]?.string ?? "lstm"
    let decoder: (description: DecoderDescription, tensors: [String: Tensor])
    switch generator {
    case "lstm":
      decoder = try Self.lstm(
        &tensors, words: known, sizes: (output[0], table[1], image[0]), isSquashed: flag("tanhC_version"),
        files)
    case "rnn":
      guard !flag("rnn_relu_encoders") else {
        throw files.unsupported(
          "a generator rnn without ReLU on what it reads, which our conditionings have not",
          "rnn_relu_encoders")
      }
      decoder = try Self.rnn(
        &tensors, words: known, sizes: (output[0], table[1], image[0]), feedsOnce: flag("rnn_feed_once"),
        files)
    default: throw files.unsupported("generator lstm or rnn", generator)
    }
    var all = decoder.tensors
    all["decoder.output.weight"] = known.weight(try tensors.read("Wd", output).transposed)
    all["decoder.output.bias"] = known.bias(try tensors.read("bd", [1, output[1]]))
    return try ImportedCaptioner(
      title,
      ModelDescription(
        encoder: encoder.architecture, preprocessing: encoder.preprocessing, decoder: decoder.description,
        vocabulary: known.vocabulary, training: ["source": title]),
      encoder: encoder.file, prefix: encoder.prefix, decoder: all, leftOver: tensors.leftOver.sorted(),
      path: files.model)
  }

  /// The LSTM (lstm_generator.py): WLSTM's rows are the bias, x and h, its columns the gates [i, f, o, g]; the image is read
  /// before the first word. Without `isSquashed` its output is the cell without tanh.
  /// - Parameter sizes: H, E and D.
  private static func lstm(
    _ tensors: inout ForeignTensors, words: ForeignWords, sizes: (hidden: Int, embedding: Int, image: Int),
    isSquashed: Bool, _ files: CaptionerFiles
  ) throws(ModelError) -> (DecoderDescription, [String: Tensor]) {
    let (hidden, size, image) = sizes
    let weights = try tensors.read("WLSTM", [1 + size + hidden, 4 * hidden])
    let cell = isSquashed ? CellName.lstm : CellName(LinearLSTM.self)
    var description = DecoderDescription(
      embeddingSize: size, hiddenSize: hidden, cell: cell, injection: .never)
    description.conditioning = .firstInput
    let name = "decoder.\(cell.rawValue)"
    return (
      description,
      [
        "decoder.embedding.weight": words.embedding(try tensors.read("Ws", [words.count, size])),
        name + ".weight_xh": weights.block(1..<1 + size).transposed,
        name + ".weight_hh": weights.block(1 + size..<1 + size + hidden).transposed,
        name + ".bias": weights.block(0..<1).reshaped([4 * hidden]),
        "decoder.image_to_input.weight": try tensors.read("We", [image, size]).transposed,
        "decoder.image_to_input.bias": try tensors.read("be", [1, size]).reshaped([size]),
      ]
    )
  }

  /// The multimodal RNN (rnn_generator.py): h = ReLU(v We + be + x Wxh + bxh + h Whh + bhh), the image at every step or at the
  /// first. There its bias belongs to the first step too: it is a part of the word that is read then, whose x Wxh is made the
  /// embedding.
  private static func rnn(
    _ tensors: inout ForeignTensors, words: ForeignWords, sizes: (hidden: Int, embedding: Int, image: Int),
    feedsOnce: Bool, _ files: CaptionerFiles
  ) throws(ModelError) -> (DecoderDescription, [String: Tensor]) {
    let (hidden, size, image) = sizes
    let description = DecoderDescription(
      embeddingSize: hidden, hiddenSize: hidden, cell: CellName(IRNN.self),
      injection: feedsOnce ? .firstStep : .everyStep)
    var table = try tensors.read("Ws", [words.count, size]).product(try tensors.read("Wxh", [size, hidden]))
    let imageBias = try tensors.read("be", [1, hidden])
    var bias = try tensors.read("bxh", [1, hidden]).adding(try tensors.read("bhh", [1, hidden]))
    if feedsOnce {
      let scalars = table.mutablePointer()
      for unit in 0..<hidden { scalars[unit] += imageBias[unit] }
    } else {
      bias = bias.adding(imageBias)
    }
    var identity = Tensor(zeros: [hidden, hidden])
    let ones = identity.mutablePointer()
    for unit in 0..<hidden { ones[unit * hidden + unit] = 1 }
    return (
      description,
      [
        "decoder.embedding.weight": words.embedding(table), "decoder.irnn.weight_xh": identity,
        "decoder.irnn.weight_hh": try tensors.read("Whh", [hidden, hidden]).transposed,
        "decoder.irnn.bias": bias.reshaped([hidden]),
        "decoder.image_to_hidden.weight": try tensors.read("We", [image, hidden]).transposed,
      ]
    )
  }
}
