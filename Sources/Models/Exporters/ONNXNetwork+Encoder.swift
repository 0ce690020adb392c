internal import Kernels
internal import Layers
internal import Tensors
internal import WeightFiles

/// The network from pixels to what the decoder is told.
extension ONNXNetwork {
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
    if model.encoder.head.layers == 0, model.encoder.featureScale != 1 {
      x = graph.add("Mul", [x, graph.tensor("feature_scale", Tensor([model.encoder.featureScale], [1]))])
    }
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
}
