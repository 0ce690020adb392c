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
  let weights: [String: Tensor]
  let convolutions: [StoredConvolution]

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

  var decoderSums: Int { model.decoder.cell.cell.gates * model.decoder.hiddenSize }
  /// Recurrent layers: those of top-down attention are two.
  var layers: Int { model.decoder.conditioning == .topDown ? 2 : model.decoder.layers }
  /// The states of all layers by name: h0, c0, h1, ….
  var states: [[String]] {
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
    let function = model.decoder.attention?.comparison == .relu ? "Relu" : "Tanh"
    let compared = graph.add(function, [graph.add("Add", ["keys", query])])
    let energies = product(compared, path + ".scorer", in: &graph)
    let weights = graph.add(
      "Softmax", [graph.add("Squeeze", [energies, graph.integers([2])])], outputs: ["attention"],
      ["axis": .integer(1)])
    let row = graph.add("Unsqueeze", [weights, graph.integers([1])])
    return graph.add("Squeeze", [graph.add("MatMul", [row, "values"]), graph.integers([1])])
  }

  // MARK: Recurrent layers

  /// A step of layers on top of each other, as `RecurrentStack`.
  func stack(
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
  func weight(_ path: String, in graph: inout ONNXGraph) -> String {
    graph.tensor(path, weights[path]!)
  }

  /// x Wᵀ + b of rows [N, I].
  func linear(_ x: String, _ path: String, in graph: inout ONNXGraph) -> String {
    var inputs = [x, weight(path + ".weight", in: &graph)]
    if weights[path + ".bias"] != nil { inputs.append(weight(path + ".bias", in: &graph)) }
    return graph.add("Gemm", inputs, ["transB": .integer(1)])
  }

  /// The same of [N, R, I].
  func product(_ x: String, _ path: String, in graph: inout ONNXGraph) -> String {
    let columns = graph.add("Transpose", [weight(path + ".weight", in: &graph)], ["perm": .integers([1, 0])])
    let product = graph.add("MatMul", [x, columns])
    return weights[path + ".bias"] == nil
      ? product : graph.add("Add", [product, weight(path + ".bias", in: &graph)])
  }

  /// Equal parts of the columns.
  func split(_ x: String, _ count: Int, in graph: inout ONNXGraph) -> [String] {
    let parts = (0..<count).map { "\(x).\($0)" }
    graph.add("Split", [x], outputs: parts, ["axis": .integer(1)])
    return parts
  }

  /// Parts of the columns of given widths.
  func split(_ x: String, _ widths: [Int], in graph: inout ONNXGraph) -> [String] {
    let parts = widths.indices.map { "\(x).\($0)" }
    graph.add("Split", [x, graph.integers(widths)], outputs: parts, ["axis": .integer(1)])
    return parts
  }
}
