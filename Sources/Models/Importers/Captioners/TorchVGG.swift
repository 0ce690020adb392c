internal import Support
internal import Tensors
internal import WeightFiles

/// The layers of an `nn.Sequential` that is a VGG network up to its second FC layer, and one linear layer more.
struct TorchVGG {
  /// The network.
  let architecture: VGGArchitecture
  /// Its weights under torchvision's names.
  let tensors: [(name: String, tensor: Tensor)]
  /// The linear layer after it.
  let projection: (weight: Tensor, bias: Tensor)
  /// Whether a ReLU follows that.
  let rectifies: Bool

  /// Takes the layers one after the other: those of nn, of cunn and of cudnn do the same.
  init(_ file: Torch7File, _ modules: [Torch7Value], _ files: CaptionerFiles) throws(ModelError) {
    var layers: [VGGArchitecture.Layer] = []
    var tensors: [(name: String, tensor: Tensor)] = []
    var linears: [(weight: Tensor, bias: Tensor)] = []
    // torchvision's number of the next layer.
    var (channels, next) = (3, 0)
    var (awaitsReLU, rectifies) = (false, false)
    for (place, module) in modules.enumerated() {
      let name = file.className(module) ?? "a value of no class"
      func wrong(_ expected: String, _ found: String? = nil) -> ModelError {
        files.unsupported("cnn layer \(place + 1) to be \(expected)", found ?? name.printable())
      }
      func tensor(_ field: String, _ shapes: [Shape]) throws(ModelError) -> Tensor {
        let value = file[module, field]
        guard let shape = file.shape(value), shapes.contains(shape), let tensor = file.read(value) else {
          throw wrong(
            "a \(name.printable()) with a \(field) of shape \(shapes[0])",
            file.shape(value).map { "shape \($0)" } ?? "none")
        }
        return tensor.reshaped(shapes[0])
      }
      func number(_ field: String, _ otherwise: Double) -> Double {
        file.number(file[module, field]) ?? otherwise
      }
      let kind = name.split(separator: ".").last.map(String.init) ?? ""
      if awaitsReLU && !["ReLU", "Dropout"].contains(kind) { throw wrong("the ReLU of the layer before") }
      switch kind {
      case "SpatialConvolution", "SpatialConvolutionMM":
        let outputs = number("nOutputPlane", 0)
        let sizes = ["kW", "kH", "dW", "dH", "padW", "padH", "groups"]
        let found = zip(sizes, [0, 0, 0, 0, number("padding", 0), number("padding", 0), 1]).map {
          number($0, $1)
        }
        guard linears.isEmpty, (1...Double(1 << 14)).contains(outputs), found == [3, 3, 1, 1, 1, 1, 1] else {
          throw wrong("a 3×3 convolution of stride 1, padding 1 and one group", "\(found)")
        }
        let count = Int(saturating: outputs)
        let weight = try tensor("weight", [[count, channels, 3, 3], [count, channels * 9]])
        tensors.append(("features.\(next).weight", weight))
        tensors.append(("features.\(next).bias", try tensor("bias", [[count]])))
        layers.append(.convolution(count))
        channels = count
        next += 2
        awaitsReLU = true
      case "SpatialMaxPooling":
        let found = ["kW", "kH", "dW", "dH", "padW", "padH"].map { number($0, 0) }
        guard linears.isEmpty, found == [2, 2, 2, 2, 0, 0] else {
          throw wrong("a 2×2 maximum of stride 2", "\(found)")
        }
        layers.append(.pool)
        next += 1
      case "Linear":
        let shape = file.shape(file[module, "weight"]) ?? [0]
        let inputs = linears.last.map { $0.weight.shape[0] } ?? channels * 49
        guard linears.count < 3, shape.rank == 2, (1...1 << 14).contains(shape[0]) else {
          throw wrong("one of three FC layers", "shape \(shape)")
        }
        linears.append(
          (try tensor("weight", [[shape[0], inputs]]), try tensor("bias", [[shape[0]]])))
        // The last may do without.
        awaitsReLU = linears.count < 3
      case "ReLU":
        guard awaitsReLU || (linears.count == 3 && !rectifies) else { throw wrong("a layer with weights") }
        awaitsReLU = false
        rectifies = linears.count == 3
      case "View", "Reshape", "Dropout": break
      default: throw wrong("a layer of a VGG network")
      }
    }
    guard linears.count == 3, linears[0].weight.shape[0] == linears[1].weight.shape[0] else {
      throw files.unsupported(
        "three FC layers in the cnn, the first two of one width",
        linears.isEmpty ? "none" : "\(linears.map { $0.weight.shape[0] })")
    }
    guard layers.count(where: { $0 == .pool }) == 5,
      let architecture = VGGArchitecture(
        layers: layers, head: .full, featureSize: linears[0].weight.shape[0])
    else {
      throw files.unsupported(
        "a VGG network of five pools, whose last map of 224×224 pixels is 7×7",
        "\(layers.count { $0 == .pool }) pools")
    }
    for (index, linear) in linears.prefix(2).enumerated() {
      tensors.append(("classifier.\(3 * index).weight", linear.weight))
      tensors.append(("classifier.\(3 * index).bias", linear.bias))
    }
    self.architecture = architecture
    self.tensors = tensors
    projection = linears[2]
    self.rectifies = rectifies
  }
}
