internal import Foundation
internal import Support
internal import Tensors
internal import WeightFiles

/// a-PyTorch-Tutorial-to-Image-Captioning (Vinodababu), an implementation of Show, Attend and Tell:
///
///     [h₀, c₀] = W_0 x̄ + b_0,  eᵢ = w·ReLU(W_k xᵢ + W_q hₜ₋₁ + b),  zₜ = σ(W_β hₜ₋₁ + b_β) ⊙ Σ αᵢ xᵢ
///     hₜ = LSTM([W_e[tokenₜ], zₜ], hₜ₋₁),  log p(tokenₜ₊₁) = log softmax(W_out hₜ + b_out)
///
/// x being the regions of an encoder's last map, which are not negative, and x̄ their mean. Its checkpoints are pickles of whole
/// modules, whose tensors are looked for and never made, or of their `state_dict()`s; the words are beside it,
/// `WORDMAP_….json`.
///
/// The encoder is a VGG network given beside it, or features made elsewhere; a ResNet, as the project trains, is not looked at.
struct ShowAttendAndTell: CaptionerImporter {
  let title = "a-PyTorch-Tutorial-to-Image-Captioning"

  /// The classes that its checkpoints name, whose objects are looked at and never made.
  static let classes: Set<String> = Set(
    ["models.Encoder", "models.DecoderWithAttention", "models.Attention"]
      + [
        "activation.ReLU", "activation.Sigmoid", "activation.Softmax", "batchnorm.BatchNorm2d",
        "container.Sequential", "conv.Conv2d", "dropout.Dropout", "linear.Linear",
        "pooling.AdaptiveAvgPool2d",
        "pooling.MaxPool2d", "rnn.LSTMCell", "sparse.Embedding",
      ].map { "torch.nn.modules." + $0 }
      + ["torchvision.models.resnet.Bottleneck", "torchvision.models.vgg.VGG", "torch.optim.adam.Adam"])

  func imported(_ content: CaptionerContent, _ files: CaptionerFiles) throws(ModelError) -> ImportedCaptioner?
  {
    guard case .python(let root) = content, let decoder = root["decoder"] else { return nil }
    var tensors = ForeignTensors(decoder.moduleTensors(), files)
    guard tensors.shape("attention.full_att.weight") != nil else { return nil }
    let table = try tensors.shape("embedding.weight", rank: 2)
    let channels = try tensors.shape("attention.encoder_att.weight", rank: 2)
    let hidden = try tensors.shape("init_h.weight", rank: 2)[0]
    let words = try Self.words(count: table[0], files)
    let encoder = try files.encoder(features: nil, regions: channels[1], of: title)
    let architecture =
      encoder.architecture.given == nil
      ? encoder.architecture.replacing(head: .mean, featureSize: channels[1]) : encoder.architecture
    guard let architecture else { throw files.unsupported("an encoder", "none that can be run") }
    var description = DecoderDescription(embeddingSize: table[1], hiddenSize: hidden, injection: .never)
    description.conditioning = .attention
    description.initialStates = true
    description.linearStates = true
    description.attention = AttentionDescription(
      channels: channels[1], valueSize: channels[1], keySize: channels[0], gated: true, gatesEach: true,
      comparison: .relu)
    let found = try Self.decoder(&tensors, words, table: table, keys: channels, hidden: hidden)
    return try ImportedCaptioner(
      title,
      ModelDescription(
        encoder: architecture, preprocessing: encoder.preprocessing, decoder: description,
        vocabulary: words.vocabulary, training: ["source": title]),
      encoder: encoder.file, prefix: encoder.prefix, decoder: found, leftOver: tensors.leftOver.sorted(),
      path: files.model)
  }

  /// Its tensors under our names.
  private static func decoder(
    _ tensors: inout ForeignTensors, _ words: ForeignWords, table: Shape, keys: Shape, hidden: Int
  ) throws(ModelError) -> [String: Tensor] {
    let (size, count, channels) = (table[1], table[0], keys[1])
    // PyTorch's gates are [i, f, g, o].
    let order = [0, 1, 3, 2]
    let inputs = try tensors.read("decode_step.weight_ih", [4 * hidden, size + channels]).gates(order)
    let bias = try tensors.read("decode_step.bias_ih", [4 * hidden])
      .adding(try tensors.read("decode_step.bias_hh", [4 * hidden]))
    var identity = Tensor(zeros: [channels, channels])
    let ones = identity.mutablePointer()
    for channel in 0..<channels { ones[channel * (channels + 1)] = 1 }
    func states(_ name: String, _ shape: Shape) throws(ModelError) -> Tensor {
      let (h, c) = (try tensors.read("init_h." + name, shape), try tensors.read("init_c." + name, shape))
      var extents = shape.dimensions
      extents[0] *= 2
      return Tensor(h.scalars + c.scalars, Shape(extents))
    }
    // The same for all regions' scores.
    tensors.leaveOut("attention.full_att.bias")
    let at = "decoder.attention"
    return [
      "decoder.embedding.weight": words.embedding(try tensors.read("embedding.weight", table)),
      "decoder.lstm.weight_xh": inputs.columns(0..<size),
      "decoder.lstm.weight_hh": try tensors.read("decode_step.weight_hh", [4 * hidden, hidden]).gates(order),
      "decoder.lstm.bias": bias.gates(order),
      "decoder.image_to_states.weight": try states("weight", [hidden, channels]),
      "decoder.image_to_states.bias": try states("bias", [hidden]),
      at + ".regions.weight": identity, at + ".regions.bias": Tensor(zeros: [channels]),
      at + ".keys.weight": try tensors.read("attention.encoder_att.weight", keys),
      at + ".keys.bias": try tensors.read("attention.encoder_att.bias", [keys[0]])
        .adding(try tensors.read("attention.decoder_att.bias", [keys[0]])),
      at + ".query.weight": try tensors.read("attention.decoder_att.weight", [keys[0], hidden]),
      at + ".scorer.weight": try tensors.read("attention.full_att.weight", [1, keys[0]]),
      at + ".gate.weight": try tensors.read("f_beta.weight", [channels, hidden]),
      at + ".gate.bias": try tensors.read("f_beta.bias", [channels]),
      at + ".to_hidden.weight": inputs.columns(size..<size + channels),
      "decoder.output.weight": words.weight(try tensors.read("fc.weight", [count, hidden])),
      "decoder.output.bias": words.bias(try tensors.read("fc.bias", [count])),
    ]
  }

  /// The words of the file beside the model, each with its number.
  private static func words(count: Int, _ files: CaptionerFiles) throws(ModelError) -> ForeignWords {
    guard let path = files.infos else {
      throw files.unsupported(
        "the words of a model of a-PyTorch-Tutorial-to-Image-Captioning beside it: --infos WORDMAP.json",
        "none")
    }
    let text: FileContents
    do { text = try FileContents(path: path, limit: 1 << 26) } catch { throw .foreign(.file(error)) }
    let numbers: [String: Int]
    do {
      numbers = try JSONDecoder().decode([String: Int].self, from: Data(text.bytes))
    } catch {
      throw .unsupported(path: path, expected: "words with their numbers, as JSON", found: "other text")
    }
    var words: [Int: String] = [:]
    for (word, number) in numbers {
      guard (0..<count).contains(number), words.updateValue(word, forKey: number) == nil else {
        throw .unsupported(
          path: path, expected: "numbers 0 to \(count - 1), each once, as many as the model has words",
          found: "\(number)")
      }
    }
    guard let start = numbers["<start>"], let end = numbers["<end>"] else {
      throw .unsupported(path: path, expected: "the words <start> and <end>", found: "others")
    }
    return try ForeignWords(
      words, count: count, start: start, end: end, padding: numbers["<pad>"], startIsClass: true, files)
  }
}

extension PickleValue {
  /// The tensors of a module of PyTorch by their names in its `state_dict()`, or of such a dictionary.
  func moduleTensors() -> [NamedTensors.Entry] {
    var found: [NamedTensors.Entry] = []
    collect(into: &found, prefix: "", depth: 0)
    return found
  }

  private func collect(into found: inout [NamedTensors.Entry], prefix: String, depth: Int) {
    guard depth < 16, let pairs else { return }
    func add(_ pairs: [(key: PickleValue, value: PickleValue)]) {
      for (key, value) in pairs {
        guard let name = key.string, let tensor = value.tensor else { continue }
        found.append(
          .init(name: prefix + name, shape: tensor.shape, typeName: tensor.typeName) {
            () throws(WeightFileError) in tensor.read()
          })
      }
    }
    guard case .object = self else { return add(pairs) }
    for part in ["_parameters", "_buffers"] { add(self[part]?.pairs ?? []) }
    for (key, module) in self["_modules"]?.pairs ?? [] {
      guard let name = key.string else { continue }
      module.collect(into: &found, prefix: prefix + name + ".", depth: depth + 1)
    }
  }
}
