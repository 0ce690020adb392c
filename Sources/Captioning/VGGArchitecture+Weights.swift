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

    var head = Head.none
    var featureSize = 4096
    if let first = file.entries[prefix + "classifier.0.weight"]?.shape {
      let channels = widths[expected - 2]?[0] ?? 0
      guard first.rank == 2, let side = [2, 7].first(where: { first[1] == channels * $0 * $0 }) else {
        throw unsupported("classifier.0.weight over \(channels) channels of 2×2 or 7×7", "\(first)")
      }
      let hasSecond = file.entries[prefix + "classifier.3.weight"] != nil
      featureSize = first[0]
      switch (side, hasSecond) {
      case (7, true): head = .full
      case (2, true): head = .compact2
      case (2, false): head = .compact
      default: throw unsupported("classifier.3.weight beside classifier.0.weight", "none")
      }
    }
    guard !widths.isEmpty, let architecture = Self(layers: layers, head: head, featureSize: featureSize)
    else {
      throw unsupported(
        "VGG convolutions named \(prefix)features.N.weight", "\(file.entries.count) other tensors")
    }
    self = architecture
  }
}
