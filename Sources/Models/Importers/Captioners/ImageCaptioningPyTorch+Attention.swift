internal import Kernels
internal import Tensors

/// Its models that attend to regions (AttModel.py). Words are rectified, which is done to the table here; biases before a sum
/// are put into others.
extension ImageCaptioningPyTorch {
  /// `att2in2`: the LSTM of `fc`, whose two sums alone see what attention has found; no other image.
  static func attention(
    _ tensors: inout ForeignTensors, hidden: Int, _ words: ForeignWords
  ) throws(ModelError) -> Parts {
    let table = try tensors.shape("embed.0.weight", rank: 2)
    let (size, looking, found) = try regions(&tensors, hidden: hidden)
    // The image's features are embedded, and not used.
    let image = tensors.shape("fc_embed.0.weight")
    var description = DecoderDescription(
      embeddingSize: table[1], hiddenSize: hidden, cell: CellName(MaxoutLSTM.self), injection: .never)
    description.conditioning = .attention
    description.attention = looking
    let name = "decoder.lstm-maxout"
    let seen = try tensors.read("core.a2c.weight", [2 * hidden, size])
    var toHidden = Tensor(zeros: [5 * hidden, size])
    (toHidden.mutablePointer() + 3 * hidden * size).update(from: seen.pointer, count: seen.count)
    var bias = try tensors.read("core.i2h.bias", [5 * hidden]).adding(
      try tensors.read("core.h2h.bias", [5 * hidden]))
    let seenBias = try tensors.read("core.a2c.bias", [2 * hidden])
    let scalars = bias.mutablePointer()
    for unit in 0..<2 * hidden { scalars[3 * hidden + unit] += seenBias[unit] }
    let own = [
      "decoder.embedding.weight": words.embedding(
        try tensors.read("embed.0.weight", [words.count, table[1]]).rectified),
      name + ".weight_xh": try tensors.read("core.i2h.weight", [5 * hidden, table[1]]),
      name + ".weight_hh": try tensors.read("core.h2h.weight", [5 * hidden, hidden]), name + ".bias": bias,
      "decoder.attention.to_hidden.weight": toHidden,
    ]
    return Parts(
      description: description, tensors: own.merging(found) { $1 },
      imageSize: image?.rank == 2 ? image?[1] : nil)
  }

  /// `topdown`: an LSTM that reads [h², v, word] decides where to look, v being a rectified layer over the features; another
  /// reads [z, h¹] and speaks.
  static func topDown(
    _ tensors: inout ForeignTensors, hidden: Int, _ words: ForeignWords
  ) throws(ModelError) -> Parts {
    let table = try tensors.shape("embed.0.weight", rank: 2)
    let (size, looking, found) = try regions(&tensors, hidden: hidden)
    let image = try tensors.shape("fc_embed.0.weight", rank: 2)
    var description = DecoderDescription(embeddingSize: table[1], hiddenSize: hidden)
    description.conditioning = .topDown
    description.attention = looking
    let sums = 4 * hidden
    func layer(_ name: String, _ inputs: Int) throws(ModelError) -> (xh: Tensor, hh: Tensor, bias: Tensor) {
      // PyTorch's gates are [i, f, g, o].
      let order = [0, 1, 3, 2]
      return (
        try tensors.read("\(name).weight_ih", [sums, inputs]).gates(order),
        try tensors.read("\(name).weight_hh", [sums, hidden]).gates(order),
        try tensors.read("\(name).bias_ih", [sums])
          .adding(try tensors.read("\(name).bias_hh", [sums])).gates(order)
      )
    }
    let first = try layer("core.att_lstm", hidden + image[0] + table[1])
    let second = try layer("core.lang_lstm", size + hidden)
    let own = [
      "encoder.classifier.0.weight": try tensors.read("fc_embed.0.weight", image),
      "encoder.classifier.0.bias": try tensors.read("fc_embed.0.bias", [image[0]]),
      "decoder.embedding.weight": words.embedding(
        try tensors.read("embed.0.weight", [words.count, table[1]]).rectified),
      "decoder.feedback.weight": first.xh.columns(0..<hidden),
      "decoder.image_to_hidden.weight": first.xh.columns(hidden..<hidden + image[0]),
      "decoder.lstm.weight_xh": first.xh.columns(hidden + image[0]..<first.xh.shape[1]),
      "decoder.lstm.weight_hh": first.hh, "decoder.lstm.bias": first.bias,
      "decoder.lstm1.weight_xh": second.xh, "decoder.lstm1.weight_hh": second.hh,
      "decoder.lstm1.bias": second.bias,
      // The mean of what is embedded is not looked at.
      "decoder.attention.mean_to_hidden.weight": Tensor(zeros: [sums, size]),
    ]
    return Parts(
      description: description, tensors: own.merging(found) { $1 }, imageSize: image[1], head: image[0])
  }

  /// What both look with: `att_embed`, `ctx2att` and `core.attention`, after a batch normalisation of the regions, if there is
  /// one, which is made part of the layer behind it.
  private static func regions(
    _ tensors: inout ForeignTensors, hidden: Int
  ) throws(ModelError) -> (size: Int, AttentionDescription, [String: Tensor]) {
    let isNormalized = tensors.shape("att_embed.0.running_mean") != nil
    let layer = isNormalized ? "att_embed.1" : "att_embed.0"
    let regions = try tensors.shape(layer + ".weight", rank: 2)
    let keys = try tensors.shape("ctx2att.weight", rank: 2)
    let (size, channels) = (regions[0], regions[1])
    var weight = try tensors.read(layer + ".weight", regions)
    var bias = try tensors.read(layer + ".bias", [size])
    if isNormalized {
      func statistic(_ name: String) throws(ModelError) -> Tensor {
        try tensors.read("att_embed.0." + name, [channels])
      }
      let (gamma, beta) = (try statistic("weight"), try statistic("bias"))
      let (mean, variance) = (try statistic("running_mean"), try statistic("running_var"))
      // W(γ(x − μ)/σ + β) + b, with PyTorch's ε in σ.
      let scale = (0..<channels).map { Double(gamma[$0]) / (Double(variance[$0]) + 1e-5).squareRoot() }
      let (weights, biases) = (weight.mutablePointer(), bias.mutablePointer())
      for row in 0..<size {
        var shift = 0.0
        for channel in 0..<channels {
          let place = row * channels + channel
          let old = Double(weights[place])
          shift += old * (Double(beta[channel]) - scale[channel] * Double(mean[channel]))
          weights[place] = Float(old * scale[channel])
        }
        biases[row] = Float(Double(biases[row]) + shift)
      }
    }
    // The same for all regions' scores.
    tensors.leaveOut("core.attention.alpha_net.bias")
    let at = "decoder.attention"
    return (
      size, AttentionDescription(channels: channels, valueSize: size, keySize: keys[0]),
      [
        at + ".regions.weight": weight, at + ".regions.bias": bias,
        at + ".keys.weight": try tensors.read("ctx2att.weight", [keys[0], size]),
        at + ".keys.bias": try tensors.read("ctx2att.bias", [keys[0]]).adding(
          try tensors.read("core.attention.h2att.bias", [keys[0]])),
        at + ".query.weight": try tensors.read("core.attention.h2att.weight", [keys[0], hidden]),
        at + ".scorer.weight": try tensors.read("core.attention.alpha_net.weight", [1, keys[0]]),
      ]
    )
  }
}
