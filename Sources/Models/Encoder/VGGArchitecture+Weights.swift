public import Tensors

extension VGGArchitecture {
  /// The network that a weights file with torchvision's names holds, read off its tensors' names and shapes: with batch
  /// normalisation where some `features.N.weight` have one extent or there are running statistics. A gap of two in the
  /// convolutions' numbers (of three with it) is convolution and ReLU, of one more also a pool; a pool ends the table.
  /// - Throws: `ModelError.unsupported` when the tensors are not those of a VGG network.
  public init(weights file: SafetensorsFile, prefix: String = "") throws(ModelError) {
    try self.init(shapes: file.entries.mapValues(\.shape), prefix: prefix, path: file.path) {
      ModelDescription.completeHead(of: &$0, from: file)
    }
  }

  /// The same of tensors by name, wherever they are.
  /// - Parameters:
  ///   - path: where they come from, for messages.
  ///   - complete: gives a network what shapes don't tell of its head.
  init(
    shapes: [String: Shape], prefix: String = "", path: String, complete: (inout Self) -> Void = { _ in }
  ) throws(ModelError) {
    func unsupported(_ expected: String, _ found: String) -> ModelError {
      .unsupported(path: path, expected: expected, found: found)
    }
    var widths: [Int: Shape] = [:]
    var normalizations: Set<Int> = []
    var isNormalized = false
    for (name, shape) in shapes where name.hasPrefix(prefix + "features.") {
      if name.hasSuffix(".running_mean") || name.hasSuffix(".running_var") { isNormalized = true }
      guard name.hasSuffix(".weight") else { continue }
      let middle = name.dropFirst(prefix.count + 9).dropLast(7)
      guard let index = Int(middle), index >= 0, index < 1 << 20, [1, 4].contains(shape.rank) else {
        throw unsupported("3×3 convolutions as features.N.weight", "\(name) of shape \(shape)")
      }
      if shape.rank == 4 { widths[index] = shape } else { normalizations.insert(index) }
    }
    isNormalized = isNormalized || !normalizations.isEmpty
    for index in normalizations.sorted() where widths[index - 1] == nil {
      let before = "\(prefix)features.\(index - 1).weight"
      throw unsupported(
        "\(before) of a convolution before the batch normalisation features.\(index).weight",
        shapes[before].map { "shape \($0)" } ?? "none")
    }
    let step = isNormalized ? 3 : 2
    var layers: [Layer] = []
    var expected = 0
    for index in widths.keys.sorted() {
      if index == expected + 1 && index > 0 {
        layers.append(.pool)
      } else if index != expected {
        throw unsupported(
          "\(prefix)features.\(expected).weight\(isNormalized ? " of a convolution" : "")",
          "\(prefix)features.\(index).weight")
      }
      layers.append(.convolution(widths[index]![0]))
      expected = index + step
    }
    layers.append(.pool)

    guard var body = Self(layers: layers, head: .none) else {
      throw unsupported(
        "VGG convolutions named \(prefix)features.N.weight", "\(shapes.count) other tensors")
    }
    body.batchNormalization = isNormalized
    if isNormalized {
      for (name, shape) in body.convolutions.flatMap({ body.tensors(of: $0).dropFirst(2) }) {
        let found = shapes[prefix + name]
        guard found == shape else {
          throw unsupported(
            "\(prefix)\(name) of shape \(shape), as every convolution has batch normalisation",
            found.map { "shape \($0)" } ?? "none")
        }
      }
    }
    guard let first = shapes[prefix + "classifier.0.weight"] else {
      self = body
      return
    }
    var said = body
    complete(&said)
    let activation = said.activation
    let hasSecond = shapes[prefix + "classifier.3.weight"] != nil
    let heads: [Head] = hasSecond ? [.full, .compact2] : [.compact]
    for head in heads where first.rank == 2 {
      guard var network = body.replacing(head: head, featureSize: first[0] / activation.pieces)
      else { continue }
      complete(&network)
      guard network.headInputs == first[1] else { continue }
      self = network
      return
    }
    let sizes = heads.map { body.mapChannels * $0.side * $0.side }
    throw unsupported(
      "classifier.0.weight over \(sizes.map(String.init).joined(separator: " or ")) inputs, "
        + "\(hasSecond ? "with" : "without") classifier.3.weight", "\(first)")
  }
}
