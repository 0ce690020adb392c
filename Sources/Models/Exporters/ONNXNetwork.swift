internal import Kernels
internal import Layers
internal import Tensors
internal import WeightFiles

/// A model as two networks in ONNX: `encoder` sees images and gives what the decoder is told of them, `decoder` is a step
/// of it. What the encoder gives under a name the decoder reads under it; what the decoder gives as `next_` and a name it
/// reads under that name at the next step:
///
///     pixels [N, 3, H, W]: RGB, 0…255; resized as the model's preprocessing says, which is in the metadata
///       → v [N, D], image_sums [N, G·H], first_sums [N, G·H], values [N, R, A], keys [N, R, K], h0, c0, … [N, H]
///     tokens [N], and all of these but v
///       → log_probs [N, V], attention [N, R], next_first_sums, next_h0, next_c0, …
///
/// `image_sums` (W_ih v, W_m ā) are part of the gates' sums at every step, `first_sums` at the first only. A model has
/// those of them that it needs.
struct ONNXNetwork {
  let model: ModelDescription
  /// The parameters of head and decoder by path.
  private let weights: [String: Tensor]
  private let convolutions: [StoredConvolution]

  /// A model, whose decoder must be of a kind that is written.
  /// - Throws: `ModelError` naming the kind, or the tensor that is missing, of another shape, or not finite.
  init(_ file: SafetensorsFile, _ model: ModelDescription) throws(ModelError) {
    self.model = model
    if let kind = Self.unknown(in: model.decoder) {
      throw .unsupported(
        path: file.path,
        expected: "a decoder that is written as ONNX (lstm, gru or rnn; gates, first-input, attention, "
          + "hard-attention or top-down)", found: kind)
    }
    let network = try ModelFile.network(file, model)
    weights = Dictionary(network.parameters.map { ($0.path, $0.value) }) { first, _ in first }
    var convolutions: [StoredConvolution] = []
    for convolution in model.encoder.convolutions {
      convolutions.append(
        try StoredConvolution(convolution, of: model.encoder, weights: file, prefix: ModelFile.encoderPrefix))
    }
    self.convolutions = convolutions
  }

  /// What of a decoder is not written; nil: all is.
  private static func unknown(in decoder: DecoderDescription) -> String? {
    if !["lstm", "gru", "rnn"].contains(decoder.cell.rawValue) { return "cell \(decoder.cell.rawValue)" }
    if decoder.initialStates { return "initial states" }
    switch decoder.conditioning {
    case .gates, .firstInput, .attention, .hardAttention, .topDown: return nil
    case .multimodal, .visualMemory: return "conditioning \(decoder.conditioning.rawValue)"
    }
  }

  private var decoderSums: Int { model.decoder.cell.cell.gates * model.decoder.hiddenSize }
  /// Recurrent layers: those of top-down attention are two.
  private var layers: Int { model.decoder.conditioning == .topDown ? 2 : model.decoder.layers }
  /// The states of all layers by name: h0, c0, h1, ….
  private var states: [[String]] {
    let names = model.decoder.cell.cell.states == 2 ? ["h", "c"] : ["h"]
    return (0..<layers).map { layer in names.map { "\($0)\(layer)" } }
  }
  private var hasFirstSums: Bool {
    model.decoder.conditioning.injects && model.decoder.injection == .firstStep
  }
  private var hasImageSums: Bool {
    model.decoder.conditioning == .topDown
      || (model.decoder.conditioning.injects && model.decoder.injection == .everyStep)
  }

  // MARK: The encoder

  /// Images to what the decoder is told of them.
  func encoder() -> ONNXGraph {
    var graph = ONNXGraph(name: "encoder")
    let (height, width) = (model.preprocessing.height, model.preprocessing.width)
    graph.input("pixels", ["N", 3, .known(height), .known(width)])
    let map = convolved(normalized("pixels", in: &graph), in: &graph)
    let v = head(averaged(map, in: &graph), in: &graph)
    graph.add("Identity", [v], outputs: ["v"])
    graph.output("v", ["N", .known(model.encoder.featureSize)])
    var mean: String?
    if let attention = model.decoder.attention {
      mean = regions(map, attention, in: &graph)
    }
    sums(mean: mean, in: &graph)
    let first = model.decoder.conditioning == .firstInput ? read("v", in: &graph) : zeroStates(in: &graph)
    for (name, state) in zip(states.joined(), first.joined()) {
      graph.add("Identity", [state], outputs: [name])
      graph.output(name, ["N", .known(model.decoder.hiddenSize)])
    }
    return graph
  }

  /// RGB in 0…255 as the network's input.
  private func normalized(_ pixels: String, in graph: inout ONNXGraph) -> String {
    let input = model.preprocessing
    var x = pixels
    if input.channelOrder == .bgr {
      x = graph.add("Gather", [x, graph.integers([2, 1, 0])], ["axis": .integer(1)])
    }
    let unit: Float = input.scale == .unit ? 255 : 1
    let mean = graph.tensor("preprocessing.mean", Tensor(input.mean.map { $0 * unit }, [1, 3, 1, 1]))
    let deviation = graph.tensor(
      "preprocessing.deviation", Tensor(input.standardDeviation.map { $0 * unit }, [1, 3, 1, 1]))
    return graph.add("Div", [graph.add("Sub", [x, mean]), deviation])
  }

  /// The last map [N, C, h, w], batch normalisation being part of the weights.
  private func convolved(_ input: String, in graph: inout ONNXGraph) -> String {
    var x = input
    for (layer, stored) in zip(model.encoder.convolutions, convolutions) {
      var weight = Tensor(uninitialized: [layer.outputChannels, layer.inputChannels, 3, 3])
      stored.read(0..<weight.count, into: weight.mutablePointer())
      let name = "\(ModelFile.encoderPrefix)features.\(layer.index)"
      let tensors = [graph.tensor(name + ".weight", weight), graph.tensor(name + ".bias", stored.bias)]
      x = graph.add(
        "Relu", [graph.add("Conv", [x] + tensors, ["pads": .integers([1, 1, 1, 1])])])
      if layer.pool {
        x = graph.add("MaxPool", [x], ["kernel_shape": .integers([2, 2]), "strides": .integers([2, 2])])
      }
    }
    return x
  }

  /// The map averaged to side × side and flattened [N, C·side²]. ONNX has no such average: it is a product from either side.
  private func averaged(_ map: String, in graph: inout ONNXGraph) -> String {
    let (shape, side) = (model.mapShape, model.encoder.head.side)
    var x = map
    if shape[0] != side {
      x = graph.add("MatMul", [graph.tensor("average.rows", Self.averages(of: shape[0], side)), x])
    }
    if shape[1] != side {
      let columns = graph.tensor("average.columns", Self.averages(of: shape[1], side))
      x = graph.add("MatMul", [x, graph.add("Transpose", [columns])])
    }
    return graph.add("Flatten", [x])
  }

  /// A matrix [side, extent] of which each row takes an average, as torch's adaptive pools do.
  private static func averages(of extent: Int, _ side: Int) -> Tensor {
    var scalars = [Float](repeating: 0, count: side * extent)
    for cell in 0..<side {
      let range = cell * extent / side..<((cell + 1) * extent + side - 1) / side
      for place in range { scalars[cell * extent + place] = 1 / Float(range.count) }
    }
    return Tensor(scalars, [side, extent])
  }

  /// v [N, D] of the averaged map.
  private func head(_ input: String, in graph: inout ONNXGraph) -> String {
    var x = normalizedFeatures(input, in: &graph)
    let activation = model.encoder.activation
    for layer in 0..<model.encoder.head.layers {
      x = linear(x, "encoder.classifier.\(3 * layer)", in: &graph)
      switch activation {
      case .relu: x = graph.add("Relu", [x])
      case .leakyReLU: x = graph.add("LeakyRelu", [x], ["alpha": .float(activation.slope)])
      case .prelu:
        x = graph.add("PRelu", [x, weight("encoder.classifier.\(3 * layer + 1).weight", in: &graph)])
      case .elu: x = graph.add("Elu", [x])
      case .tanh: x = graph.add("Tanh", [x])
      case .sigmoid: x = graph.add("Sigmoid", [x])
      case .maxout: x = graph.add("Max", split(x, 2, in: &graph))
      }
    }
    return x
  }

  private func normalizedFeatures(_ x: String, in graph: inout ONNXGraph) -> String {
    let path = "encoder.normalization"
    switch model.encoder.normalization {
    case .none: return x
    case .mean:
      // m of each channel, over its numbers.
      let (means, cells) = (weights[path + ".mean"]!, model.encoder.head.side * model.encoder.head.side)
      let mean = means.scalars.flatMap { [Float](repeating: $0, count: cells) }
      return graph.add("Sub", [x, graph.tensor(path + ".mean", Tensor(mean, [mean.count]))])
    case .standardize:
      let centred = graph.add("Sub", [x, graph.add("ReduceMean", [x], ["axes": .integers([1])])])
      let variance = graph.add(
        "ReduceMean", [graph.add("Mul", [centred, centred])], ["axes": .integers([1])])
      let epsilon = graph.tensor("epsilon", Tensor([Float(FeatureNormalization.epsilon)], [1]))
      return graph.add("Div", [centred, graph.add("Sqrt", [graph.add("Add", [variance, epsilon])])])
    case .whiten:
      let centred = graph.add("Sub", [x, weight(path + ".mean", in: &graph)])
      let components = weight(path + ".components", in: &graph)
      return graph.add("Gemm", [centred, components], ["transB": .integer(1)])
    }
  }

  /// `values` and `keys` of the map's pixels.
  /// - Returns: the mean of the values [N, A].
  private func regions(
    _ map: String, _ attention: AttentionDescription, in graph: inout ONNXGraph
  ) -> String {
    let (path, shape) = ("decoder.attention", model.mapShape)
    let regions = shape[0] * shape[1]
    let flat = graph.add("Reshape", [map, graph.integers([0, shape[2], regions])])
    let rows = graph.add("Transpose", [flat], ["perm": .integers([0, 2, 1])])
    let scale = graph.tensor("attention.scale", Tensor([attention.scale], [1]))
    let scaled = graph.add("Mul", [rows, scale])
    let values = graph.add("Relu", [product(scaled, path + ".regions", in: &graph)], outputs: ["values"])
    graph.add("Identity", [product(values, path + ".keys", in: &graph)], outputs: ["keys"])
    graph.output("values", ["N", .known(regions), .known(attention.valueSize)])
    graph.output("keys", ["N", .known(regions), .known(attention.keySize)])
    return graph.add("ReduceMean", [values], ["axes": .integers([1]), "keepdims": .integer(0)])
  }

  /// `image_sums` and `first_sums`.
  private func sums(mean: String?, in graph: inout ONNXGraph) {
    var always: [String] = []
    if model.decoder.conditioning == .topDown, let mean {
      always.append(linear(mean, "decoder.attention.mean_to_hidden", in: &graph))
    }
    if model.decoder.conditioning.injects, model.decoder.injection != .never {
      let injected = linear("v", "decoder.image_to_hidden", in: &graph)
      if model.decoder.injection == .everyStep {
        always.append(injected)
      } else {
        graph.add("Identity", [injected], outputs: ["first_sums"])
        graph.output("first_sums", ["N", .known(decoderSums)])
      }
    }
    guard !always.isEmpty else { return }
    graph.add(always.count > 1 ? "Add" : "Identity", always, outputs: ["image_sums"])
    graph.output("image_sums", ["N", .known(decoderSums)])
  }

  private func zeroStates(in graph: inout ONNXGraph) -> [[String]] {
    let images = graph.add("Shape", ["v"], ["start": .integer(0), "end": .integer(1)])
    let shape = graph.add(
      "Concat", [images, graph.integers([model.decoder.hiddenSize])], ["axis": .integer(0)])
    let zero = graph.add("ConstantOfShape", [shape])
    return states.map { $0.map { _ in zero } }
  }

  /// The states after the image was read as the first input.
  private func read(_ v: String, in graph: inout ONNXGraph) -> [[String]] {
    let input = linear(v, "decoder.image_to_input", in: &graph)
    let x = model.decoder.rectifiesInput ? graph.add("Relu", [input]) : input
    return stack(x, context: nil, from: zeroStates(in: &graph), in: &graph).states
  }

  // MARK: The decoder

  /// A step: tokens and states to log-probabilities of those that may follow, and states.
  func decoder() -> ONNXGraph {
    var graph = ONNXGraph(name: "decoder")
    let (sizes, attention) = (model.decoder, model.decoder.attention)
    let regions = model.mapShape[0] * model.mapShape[1]
    graph.input("tokens", ["N"], .int64)
    for name in ["image_sums", "first_sums"] where name == "image_sums" ? hasImageSums : hasFirstSums {
      graph.input(name, ["N", .known(decoderSums)])
    }
    if let attention {
      graph.input("values", ["N", .known(regions), .known(attention.valueSize)])
      graph.input("keys", ["N", .known(regions), .known(attention.keySize)])
    }
    for name in states.joined() { graph.input(name, ["N", .known(sizes.hiddenSize)]) }
    let x = graph.add("Gather", [weight("decoder.embedding.weight", in: &graph), "tokens"])
    let (hidden, after) =
      sizes.conditioning == .topDown ? topDown(x, in: &graph) : spoken(x, in: &graph)
    let logits = linear(hidden, "decoder.output", in: &graph)
    graph.add("LogSoftmax", [logits], outputs: ["log_probs"], ["axis": .integer(-1)])
    graph.output("log_probs", ["N", .known(model.vocabulary.count)])
    if attention != nil { graph.output("attention", ["N", .known(regions)]) }
    if hasFirstSums {
      graph.add("Sub", ["first_sums", "first_sums"], outputs: ["next_first_sums"])
      graph.output("next_first_sums", ["N", .known(decoderSums)])
    }
    for (name, state) in zip(states.joined(), after.joined()) {
      graph.add("Identity", [state], outputs: ["next_" + name])
      graph.output("next_" + name, ["N", .known(sizes.hiddenSize)])
    }
    return graph
  }

  /// What the image adds to the gates' sums; nil: nothing.
  private func context(_ more: [String], in graph: inout ONNXGraph) -> String? {
    var terms = more
    if hasImageSums { terms.append("image_sums") }
    if hasFirstSums { terms.append("first_sums") }
    guard let first = terms.first else { return nil }
    return terms.dropFirst().reduce(first) { graph.add("Add", [$0, $1]) }
  }

  /// A step of `RecurrentDecoder`.
  private func spoken(_ x: String, in graph: inout ONNXGraph) -> (hidden: String, states: [[String]]) {
    var seen: [String] = []
    if let attention = model.decoder.attention {
      let hidden = states[model.decoder.contextLayer][0]
      var z = attend(hidden, in: &graph)
      if attention.gated {
        z = graph.add(
          "Mul", [z, graph.add("Sigmoid", [linear(hidden, "decoder.attention.gate", in: &graph)])])
      }
      seen.append(linear(z, "decoder.attention.to_hidden", in: &graph))
    }
    let context = context(seen, in: &graph)
    return stack(x, context: context, from: states, in: &graph)
  }

  /// A step of `TopDownDecoder`.
  private func topDown(_ x: String, in graph: inout ONNXGraph) -> (hidden: String, states: [[String]]) {
    let path = "decoder.\(model.decoder.cell.rawValue)"
    let context = context([linear(states[1][0], "decoder.feedback", in: &graph)], in: &graph)
    let first = step(path, input: x, context: context, from: states[0], in: &graph)
    let seen = graph.add("Concat", [attend(first[0], in: &graph), first[0]], ["axis": .integer(1)])
    let second = step(path + "1", input: seen, context: nil, from: states[1], in: &graph)
    return (second[0], [first, second])
  }

  /// z [N, A] that h sees, and `attention`, how much it looks at each region.
  private func attend(_ hidden: String, in graph: inout ONNXGraph) -> String {
    let path = "decoder.attention"
    let query = graph.add("Unsqueeze", [linear(hidden, path + ".query", in: &graph), graph.integers([1])])
    let compared = graph.add("Tanh", [graph.add("Add", ["keys", query])])
    let energies = product(compared, path + ".scorer", in: &graph)
    let weights = graph.add(
      "Softmax", [graph.add("Squeeze", [energies, graph.integers([2])])], outputs: ["attention"],
      ["axis": .integer(1)])
    let row = graph.add("Unsqueeze", [weights, graph.integers([1])])
    return graph.add("Squeeze", [graph.add("MatMul", [row, "values"]), graph.integers([1])])
  }

  // MARK: Recurrent layers

  /// A step of layers on top of each other, as `RecurrentStack`.
  private func stack(
    _ input: String, context: String?, from before: [[String]], in graph: inout ONNXGraph
  ) -> (hidden: String, states: [[String]]) {
    var (x, after) = (input, [[String]]())
    for layer in 0..<layers {
      let path = "decoder.\(model.decoder.cell.rawValue)\(layer == 0 ? "" : "\(layer)")"
      let context = layer == model.decoder.contextLayer ? context : nil
      let states = step(path, input: x, context: context, from: before[layer], in: &graph)
      x = layer > 0 && model.decoder.isResidual ? graph.add("Add", [x, states[0]]) : states[0]
      after.append(states)
    }
    return (x, after)
  }

  /// A step of a layer, h first.
  private func step(
    _ path: String, input: String, context: String?, from before: [String], in graph: inout ONNXGraph
  ) -> [String] {
    let (size, h) = (model.decoder.hiddenSize, before[0])
    var sums = graph.add(
      "Gemm", [input, weight(path + ".weight_xh", in: &graph), weight(path + ".bias", in: &graph)],
      ["transB": .integer(1)])
    if let context { sums = graph.add("Add", [sums, context]) }
    func recurrent(_ x: String, rows: Range<Int>, _ name: String) -> String {
      let all = weights[path + ".weight_hh"]!
      let part = graph.tensor(
        path + ".weight_hh" + name,
        Tensor(Array(all.scalars[rows.lowerBound * size..<rows.upperBound * size]), [rows.count, size]))
      return graph.add("Gemm", [x, part], ["transB": .integer(1)])
    }
    func add(_ kind: String, _ inputs: String...) -> String { graph.add(kind, inputs) }
    switch model.decoder.cell.rawValue {
    case "rnn": return [add("Tanh", add("Add", sums, recurrent(h, rows: 0..<size, "")))]
    case "gru":
      let parts = split(sums, [2 * size, size], in: &graph)
      let gates = split(
        add("Sigmoid", add("Add", parts[0], recurrent(h, rows: 0..<2 * size, ".gates"))), 2, in: &graph)
      let reset = add("Mul", gates[0], h)
      let candidate = add(
        "Tanh", add("Add", parts[1], recurrent(reset, rows: 2 * size..<3 * size, ".candidate")))
      // (1 − z)·n + z·h
      return [add("Add", candidate, add("Mul", gates[1], add("Sub", h, candidate)))]
    default:
      let all = split(add("Add", sums, recurrent(h, rows: 0..<4 * size, "")), 4, in: &graph)
      let kept = add("Mul", add("Sigmoid", all[1]), before[1])
      let c = add("Add", kept, add("Mul", add("Sigmoid", all[0]), add("Tanh", all[3])))
      return [add("Mul", add("Sigmoid", all[2]), add("Tanh", c)), c]
    }
  }

  // MARK: Products

  /// A parameter, by its path.
  private func weight(_ path: String, in graph: inout ONNXGraph) -> String {
    graph.tensor(path, weights[path]!)
  }

  /// x Wᵀ + b of rows [N, I].
  private func linear(_ x: String, _ path: String, in graph: inout ONNXGraph) -> String {
    var inputs = [x, weight(path + ".weight", in: &graph)]
    if weights[path + ".bias"] != nil { inputs.append(weight(path + ".bias", in: &graph)) }
    return graph.add("Gemm", inputs, ["transB": .integer(1)])
  }

  /// The same of [N, R, I].
  private func product(_ x: String, _ path: String, in graph: inout ONNXGraph) -> String {
    let columns = graph.add("Transpose", [weight(path + ".weight", in: &graph)], ["perm": .integers([1, 0])])
    let product = graph.add("MatMul", [x, columns])
    return weights[path + ".bias"] == nil
      ? product : graph.add("Add", [product, weight(path + ".bias", in: &graph)])
  }

  /// Equal parts of the columns.
  private func split(_ x: String, _ count: Int, in graph: inout ONNXGraph) -> [String] {
    let parts = (0..<count).map { "\(x).\($0)" }
    graph.add("Split", [x], outputs: parts, ["axis": .integer(1)])
    return parts
  }

  /// Parts of the columns of given widths.
  private func split(_ x: String, _ widths: [Int], in graph: inout ONNXGraph) -> [String] {
    let parts = widths.indices.map { "\(x).\($0)" }
    graph.add("Split", [x, graph.integers(widths)], outputs: parts, ["axis": .integer(1)])
    return parts
  }
}
