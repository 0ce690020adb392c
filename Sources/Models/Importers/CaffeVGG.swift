internal import Imaging
internal import Tensors
internal import WeightFiles

/// VGG networks as their authors released them in Caffe (Simonyan & Zisserman 2015), and what is named as theirs:
/// `conv1_1` … `conv5_3`, `fc6`, `fc7`. They read BGR in 0…255 less the mean of ImageNet.
struct CaffeVGG: EncoderImporter {
  func imported(_ file: NamedTensors) throws(ModelError) -> ImportedEncoder? {
    guard file.format == .caffe else { return nil }
    func unsupported(_ expected: String, _ found: String) -> ModelError {
      .unsupported(path: file.path, expected: expected, found: found)
    }
    var tensors: [(name: String, tensor: Tensor)] = []
    var taken: Set<String> = []
    /// Weights and bias of a layer, the weights with as many extents as they have in torchvision.
    func take(_ layer: String, as name: String, rank: Int) throws(ModelError) {
      for (place, kind) in ["weight", "bias"].enumerated() {
        guard let entry = file["\(layer)/\(place)"] else {
          throw unsupported("\(layer)/\(place), the \(kind) of layer \(layer)", "none")
        }
        taken.insert(entry.name)
        let tensor: Tensor
        do { tensor = try entry.read() } catch { throw .foreign(error) }
        tensors.append((name + "." + kind, tensor.reshaped(Self.shape(entry.shape, kind, rank: rank))))
      }
    }
    var index = 0
    var stage = 1
    while file["conv\(stage)_1/0"] != nil {
      var number = 1
      while let entry = file["conv\(stage)_\(number)/0"] {
        let layer = "conv\(stage)_\(number)"
        guard entry.shape.rank == 4, entry.shape[2] == 3, entry.shape[3] == 3 else {
          throw unsupported("\(layer) of 3×3, as in VGG networks", "shape \(entry.shape)")
        }
        try take(layer, as: "features.\(index)", rank: 4)
        index += 2
        number += 1
      }
      index += 1
      stage += 1
    }
    let others = file.entries.filter { !taken.contains($0.name) }
    let other = others.first { $0.shape.rank == 4 && $0.name.hasPrefix("conv") }
    guard stage > 1, other == nil else {
      let first = (other ?? file.entries.first).map { "\($0.name) \($0.shape)" } ?? "no weights"
      throw unsupported(
        "the 3×3 convolutions of a VGG network, conv1_1, conv1_2, … (VGG-11, 13, 16, 19)",
        "\(file.metadata["name"].map { $0 + ": " } ?? "")\(first)")
    }
    if let layer = file.operations.first(where: { $0.kind == "BatchNorm" || $0.kind == "Scale" }) {
      throw unsupported(
        "a VGG network whose batch normalisation is in its weights", "layer \(layer.name), a \(layer.kind)")
    }
    // The two are one head; a network that was cut between them has none.
    if file["fc6/0"] != nil, file["fc7/0"] != nil {
      try take("fc6", as: "classifier.0", rank: 2)
      try take("fc7", as: "classifier.3", rank: 2)
    }
    return ImportedEncoder(
      tensors: tensors, preprocessing: .caffe,
      leftOver: file.entries.map(\.name).filter { !taken.contains($0) })
  }

  /// What a shape is in torchvision: blobs of 2014 have four extents, `[1, 1, 1, K]` of a bias, `[1, 1, K, I]` of a fully
  /// connected layer; one that is written as a convolution reads the whole map.
  private static func shape(_ shape: Shape, _ kind: String, rank: Int) -> Shape {
    if kind == "bias" { return [shape.count] }
    guard rank == 2, shape.rank > 2 else { return shape }
    let first = shape.dimensions.firstIndex { $0 != 1 } ?? shape.rank - 1
    let outputs = max(1, shape[first])
    return [outputs, shape.count / outputs]
  }
}
