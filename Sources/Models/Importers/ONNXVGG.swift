internal import Layers
internal import Tensors
internal import WeightFiles

/// VGG networks in ONNX. What tensors are called depends on the exporter (torchvision's names, or numbers), so the graph is
/// followed from one operation to the next: convolutions, batch normalisations, ReLUs and pools get torchvision's numbers,
/// the first two of the fully connected layers are the head.
struct ONNXVGG: EncoderImporter {
  func imported(_ file: NamedTensors) throws(ModelError) -> ImportedEncoder? {
    guard file.format == .onnx else { return nil }
    var chain = LayerChain(file: file)
    for operation in file.operations { try chain.add(operation) }
    return try chain.encoder()
  }
}

/// A VGG network, read off its operations.
private struct LayerChain {
  let file: NamedTensors
  /// A tensor by the name of what passes it on.
  private var passedOn: [String: (entry: NamedTensors.Entry, isTransposed: Bool)] = [:]
  /// torchvision's number of the next layer among the features.
  private var index = 0
  /// What the last operation gave; nil before the first.
  private var last: String?
  /// A fully connected layer's weights [K, I] and, when it comes, its bias.
  private struct Linear {
    let weight: NamedTensors.Entry
    let isTransposed: Bool
    var bias: NamedTensors.Entry?
  }
  private var linear: [Linear] = []
  private var tensors: [(name: String, tensor: Tensor)] = []
  private var taken: Set<String> = []
  private enum Kind { case convolution, normalization, activation, pool, linear }
  private var kind: Kind?

  init(file: NamedTensors) { self.file = file }

  /// Operations between convolutions and the fully connected layers, or after them, that leave the numbers as they are at
  /// the size that the network is for.
  private static let passing: Set<String> = [
    "AveragePool", "Cast", "Concat", "Constant", "Dropout", "Flatten", "Gather", "Identity", "LogSoftmax",
    "Reshape", "Shape", "Slice", "Softmax", "Squeeze", "Unsqueeze",
  ]

  private func unsupported(_ expected: String, _ found: String) -> ModelError {
    .unsupported(path: file.path, expected: expected, found: found)
  }

  /// What an operation is called in messages.
  private func named(_ operation: NamedTensors.Operation) -> String {
    operation.name.isEmpty ? "a \(operation.kind)" : "\(operation.kind) \(operation.name)"
  }

  private func tensor(_ name: String) -> (entry: NamedTensors.Entry, isTransposed: Bool)? {
    passedOn[name] ?? file[name].map { ($0, false) }
  }

  mutating func add(_ operation: NamedTensors.Operation) throws(ModelError) {
    let inputs = operation.inputs
    // What is done to a tensor alone.
    if let first = inputs.first, let (entry, isTransposed) = tensor(first),
      let output = operation.outputs.first
    {
      switch operation.kind {
      case "Identity":
        passedOn[output] = (entry, isTransposed)
        return
      case "Transpose" where entry.shape.rank == 2 && [[1, 0], nil].contains(operation.numbers["perm"]):
        passedOn[output] = (entry, !isTransposed)
        return
      default: break
      }
    }
    let readsLast = last.map(inputs.contains) ?? true
    switch operation.kind {
    case "Conv": try addConvolution(operation)
    case "BatchNormalization": try addNormalization(operation)
    case "Relu":
      if kind == .convolution || kind == .normalization { index += 1 }
      kind = .activation
    case "MaxPool":
      for (name, expected) in [("kernel_shape", [2.0, 2]), ("strides", [2, 2])] {
        guard operation.numbers[name] == expected else {
          throw unsupported("2×2 pools with stride 2", "\(named(operation)) with other \(name)")
        }
      }
      index += 1
      kind = .pool
    case "Gemm", "MatMul": try addLinear(operation)
    case "Add":
      // The bias of the product before.
      guard kind == .linear, linear[linear.count - 1].bias == nil,
        let bias = inputs.compactMap({ tensor($0) }).first
      else { throw unsupported("the operations of a VGG network", named(operation)) }
      linear[linear.count - 1].bias = bias.entry
    case let other where Self.passing.contains(other):
      if readsLast { last = operation.outputs.first }
      return
    default: throw unsupported("the operations of a VGG network", named(operation))
    }
    guard readsLast else {
      throw unsupported(
        "one operation after the other, as in VGG networks",
        "\(named(operation)), which reads \(inputs.first ?? "nothing")")
    }
    last = operation.outputs.first
  }

  private mutating func append(_ name: String, _ entry: NamedTensors.Entry) throws(ModelError) {
    taken.insert(entry.name)
    do { tensors.append((name, try entry.read())) } catch { throw .foreign(error) }
  }

  private mutating func addConvolution(_ operation: NamedTensors.Operation) throws(ModelError) {
    guard operation.inputs.count > 1, let (weight, _) = tensor(operation.inputs[1]), linear.isEmpty,
      weight.shape.rank == 4, weight.shape.count > 0
    else { throw unsupported("convolutions with their weights in the file", named(operation)) }
    let expected: [(name: String, value: Double, otherwise: Double)] = [
      ("pads", 1, 0), ("strides", 1, 1), ("dilations", 1, 1), ("group", 1, 1),
    ]
    for (name, value, otherwise) in expected {
      let found = operation.numbers[name] ?? [otherwise]
      guard weight.shape[2] == 3, weight.shape[3] == 3, found.allSatisfy({ $0 == value }) else {
        throw unsupported(
          "3×3 convolutions with padding and stride 1",
          "\(named(operation)) of weights \(weight.shape), \(name) \(found.map { Int(exactly: $0) ?? 0 })")
      }
    }
    let name = "features.\(index)"
    try append(name + ".weight", weight)
    if operation.inputs.count > 2, let (bias, _) = tensor(operation.inputs[2]) {
      try append(name + ".bias", bias)
    } else {
      tensors.append((name + ".bias", Tensor(zeros: [weight.shape[0]])))
    }
    index += 1
    kind = .convolution
  }

  private mutating func addNormalization(_ operation: NamedTensors.Operation) throws(ModelError) {
    guard kind == .convolution, operation.inputs.count == 5 else {
      throw unsupported("batch normalisation after convolutions", named(operation))
    }
    let epsilon = operation.numbers["epsilon"]?.first ?? BatchNormalization.epsilon
    guard abs(epsilon - BatchNormalization.epsilon) < 1e-9 else {
      throw unsupported("batch normalisation with an epsilon of \(BatchNormalization.epsilon)", "\(epsilon)")
    }
    for (kind, input) in zip(VGGArchitecture.normalizationTensors, operation.inputs.dropFirst()) {
      guard let (entry, _) = tensor(input) else {
        throw unsupported("\(input), the \(kind) of \(named(operation))", "none")
      }
      try append("features.\(index).\(kind)", entry)
    }
    index += 1
    kind = .normalization
  }

  private mutating func addLinear(_ operation: NamedTensors.Operation) throws(ModelError) {
    let isProduct = operation.kind == "MatMul"
    func number(_ name: String) -> Double { operation.numbers[name]?.first ?? 1 }
    guard operation.inputs.count > 1, let (weight, isTransposed) = tensor(operation.inputs[1]),
      weight.shape.rank == 2, weight.shape.count > 0, tensor(operation.inputs[0]) == nil,
      isProduct || (number("alpha") == 1 && number("beta") == 1 && operation.numbers["transA"] != [1])
    else { throw unsupported("fully connected layers x W + b with W in the file", named(operation)) }
    // W of Gemm with transB is [K, I], of any other product [I, K].
    let isTorchs = !isProduct && operation.numbers["transB"] == [1]
    let bias = isProduct || operation.inputs.count < 3 ? nil : tensor(operation.inputs[2])?.entry
    linear.append(Linear(weight: weight, isTransposed: isTransposed == isTorchs, bias: bias))
    kind = .linear
  }

  /// What was found.
  mutating func encoder() throws(ModelError) -> ImportedEncoder {
    guard !tensors.isEmpty else {
      throw unsupported("the convolutions of a VGG network", "none in \(file.operations.count) operations")
    }
    // The two are one head; what follows them tells ImageNet's classes apart.
    if linear.count >= 2 {
      for (index, layer) in zip([0, 3], linear) {
        try append("classifier.\(index).weight", layer.weight)
        if layer.isTransposed {
          tensors[tensors.count - 1].tensor = tensors[tensors.count - 1].tensor.transposed
        }
        // Exporters leave out a bias of zeros.
        if let bias = layer.bias {
          try append("classifier.\(index).bias", bias)
        } else {
          let outputs = tensors[tensors.count - 1].tensor.shape[0]
          tensors.append(("classifier.\(index).bias", Tensor(zeros: [outputs])))
        }
      }
    }
    // Whole numbers are shapes, not weights.
    let others = file.entries.filter { !taken.contains($0.name) && !$0.typeName.hasPrefix("int") }
    return ImportedEncoder(tensors: tensors, preprocessing: nil, leftOver: others.map(\.name))
  }
}

extension Tensor {
  /// Columns [I, K] of a matrix [K, I] as rows.
  var transposed: Tensor {
    let (rows, columns) = (shape[0], shape[1])
    var result = Tensor(uninitialized: [columns, rows])
    let memory = result.mutablePointer()
    withUnsafeBufferPointer { scalars in
      // A block at a time: its lines stay in the cache.
      for first in stride(from: 0, to: rows, by: 32) {
        for column in 0..<columns {
          for row in first..<min(rows, first + 32) {
            memory[column * rows + row] = scalars[row * columns + column]
          }
        }
      }
    }
    return result
  }
}
