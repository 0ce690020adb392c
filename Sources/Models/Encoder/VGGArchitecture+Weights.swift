public import Tensors

extension VGGArchitecture {
  /// The network that a weights file with torchvision's names holds, read off its tensors' names and shapes:
  /// a gap of two in `features.N` is convolution and ReLU, of three also a pool; a pool ends the table.
  /// - Throws: `ModelError.unsupported` when the tensors are not those of a VGG network without batch
  ///   normalisation.
  public init(weights file: SafetensorsFile, prefix: String = "") throws(ModelError) {
    func unsupported(_ expected: String, _ found: String) -> ModelError {
      .unsupported(path: file.path, expected: expected, found: found)
    }
    var widths: [Int: Shape] = [:]
    for (name, entry) in file.entries where name.hasPrefix(prefix + "features.") && name.hasSuffix(".weight")
    {
      let middle = name.dropFirst(prefix.count + 9).dropLast(7)
      guard let index = Int(middle), index >= 0, entry.shape.rank == 4 else {
        throw unsupported("3×3 convolutions as features.N.weight", "\(name) of shape \(entry.shape)")
      }
      widths[index] = entry.shape
    }
    var layers: [Layer] = []
    var expected = 0
    for index in widths.keys.sorted() {
      if index == expected + 1 && index > 0 {
        layers.append(.pool)
      } else if index != expected {
        throw unsupported("\(prefix)features.\(expected).weight", "\(prefix)features.\(index).weight")
      }
      layers.append(.convolution(widths[index]![0]))
      expected = index + 2
    }
    layers.append(.pool)

    guard let body = Self(layers: layers, head: .none) else {
      throw unsupported(
        "VGG convolutions named \(prefix)features.N.weight", "\(file.entries.count) other tensors")
    }
    guard let first = file.entries[prefix + "classifier.0.weight"]?.shape else {
      self = body
      return
    }
    let hasSecond = file.entries[prefix + "classifier.3.weight"] != nil
    let heads: [Head] = hasSecond ? [.full, .compact2] : [.compact]
    for head in heads where first.rank == 2 {
      let network = Self(layers: layers, head: head, featureSize: first[0])
      guard let network, network.pooledSize == first[1] else { continue }
      self = network
      return
    }
    let sizes = heads.map { body.mapChannels * $0.side * $0.side }
    throw unsupported(
      "classifier.0.weight over \(sizes.map(String.init).joined(separator: " or ")) inputs, "
        + "\(hasSecond ? "with" : "without") classifier.3.weight", "\(first)")
  }
}
