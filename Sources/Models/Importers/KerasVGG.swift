internal import Imaging
internal import Tensors
internal import WeightFiles

/// VGG networks as Keras names and lays out their weights: those of `keras.applications`, in files of Keras 1
/// (`block1_conv1/block1_conv1_W_1:0`), Keras 2 (`block1_conv1/block1_conv1/kernel:0`) and Keras 3
/// (`layers/conv2d/vars/0`), of weights alone, of a whole model or of a model that has one inside, with FC layers or
/// without. Kernels are [3, 3, C, K] and [inputs, outputs], the map's pixels in rows of channels. Those of Theano's order,
/// [K, C, 3, 3], are refused: they are turned round as well.
struct KerasVGG: EncoderImporter {
  /// A layer of the network.
  private enum Layer: Hashable {
    case convolution(block: Int, place: Int)
    /// The first or the second that is fully connected.
    case dense(Int)

    var isConvolution: Bool { if case .convolution = self { true } else { false } }
  }

  /// A layer's two tensors.
  private struct Weights {
    var kernel: NamedTensors.Entry?
    var bias: NamedTensors.Entry?
  }

  func imported(_ file: NamedTensors) throws(ModelError) -> ImportedEncoder? {
    var layers = Self.namedLayers(file)
    if !layers.keys.contains(where: \.isConvolution) { layers = try Self.numberedLayers(file) }
    let blocks = try Self.blocks(layers, file)
    guard !blocks.isEmpty else { return nil }
    var encoder = ImportedEncoder(tensors: [], preprocessing: .caffe, leftOver: [])
    var used: Set<String> = []
    var channels = 3
    var index = 0
    for (block, count) in blocks.enumerated() {
      for place in 0..<count {
        let weights = layers[.convolution(block: block + 1, place: place + 1)] ?? Weights()
        let name = "block\(block + 1)_conv\(place + 1)"
        let kernel = try Self.read(weights.kernel, "\(name)/kernel of shape [3, 3, \(channels), K]", file) {
          $0.rank == 4 && Array($0.dimensions.prefix(3)) == [3, 3, channels] && $0[3] > 0
        }
        channels = kernel.shape[3]
        let bias = try Self.read(weights.bias, "\(name)/bias of shape [\(channels)]", file) {
          $0 == [channels]
        }
        encoder.tensors.append(("features.\(index).weight", Self.convolution(kernel)))
        encoder.tensors.append(("features.\(index).bias", bias))
        used.formUnion([weights.kernel?.name, weights.bias?.name].compactMap(\.self))
        index += 2
      }
      // The pool.
      index += 1
    }
    try Self.addHead(layers, channels: channels, to: &encoder, &used, file)
    encoder.leftOver = file.entries.map(\.name).filter { !used.contains($0) }
    return encoder
  }

  /// The layers by the names that `keras.applications` gives them.
  private static func namedLayers(_ file: NamedTensors) -> [Layer: Weights] {
    var layers: [Layer: Weights] = [:]
    for entry in file.entries {
      let parts = entry.name.split(separator: "/")
      guard let first = parts.first, !first.hasPrefix("optimizer") else { continue }
      // Keras 3 keeps a layer's own name beside its variables.
      let own =
        parts.dropLast().last == "vars"
        ? file.metadata["\(parts.dropLast().joined(separator: "/"))@name"] : nil
      let names = own.map { [Substring($0)] } ?? Array(parts.dropLast())
      guard let layer = names.lazy.compactMap(layer(named:)).first else { continue }
      add(entry, to: layer, &layers)
    }
    return layers
  }

  /// `block1_conv1`, `fc1` or `fc2`.
  private static func layer(named name: Substring) -> Layer? {
    if name == "fc1" || name == "fc2" { return .dense(name == "fc1" ? 1 : 2) }
    let parts = name.split(separator: "_", omittingEmptySubsequences: false)
    guard parts.count == 2, parts[0].hasPrefix("block"), parts[1].hasPrefix("conv"),
      let block = Int(parts[0].dropFirst(5)), let place = Int(parts[1].dropFirst(4)),
      (1...99).contains(block),
      (1...99).contains(place)
    else { return nil }
    return .convolution(block: block, place: place)
  }

  /// Layers that Keras 3 numbers, `layers/conv2d`, `layers/conv2d_1`, …, without their names: where pools are is not said,
  /// so that they are those of a published network of as many convolutions.
  private static func numberedLayers(_ file: NamedTensors) throws(ModelError) -> [Layer: Weights] {
    var convolutions: [Int: Weights] = [:]
    var dense: [Layer: Weights] = [:]
    for entry in file.entries {
      let parts = entry.name.split(separator: "/")
      guard parts.count >= 4, parts[parts.count - 2] == "vars", parts[parts.count - 4] == "layers" else {
        continue
      }
      let name = parts[parts.count - 3]
      if let number = number(of: name, "conv2d") {
        add(entry, to: number, &convolutions)
      } else if let number = number(of: name, "dense"), number < 2 {
        add(entry, to: .dense(number + 1), &dense)
      }
    }
    guard !convolutions.isEmpty else { return [:] }
    let depths = [8: 11, 10: 13, 13: 16, 16: 19]
    guard let depth = depths[convolutions.count],
      let network = VGGArchitecture.vgg(depth, head: .none),
      Set(convolutions.keys) == Set(0..<convolutions.count)
    else {
      throw .unsupported(
        path: file.path, expected: "8, 10, 13 or 16 convolutions, as VGG networks have",
        found: "\(convolutions.count)")
    }
    var layers = dense
    var (block, place) = (1, 0)
    var number = 0
    for layer in network.layers {
      guard layer != .pool else {
        (block, place) = (block + 1, 0)
        continue
      }
      place += 1
      layers[.convolution(block: block, place: place)] = convolutions[number]
      number += 1
    }
    return layers
  }

  /// 0 of `conv2d`, 1 of `conv2d_1`.
  private static func number(of name: Substring, _ kind: String) -> Int? {
    if name == kind { return 0 }
    guard name.hasPrefix(kind + "_"), let number = Int(name.dropFirst(kind.count + 1)), number > 0 else {
      return nil
    }
    return number
  }

  /// Takes a tensor as a layer's kernel or bias, by the end of its name; the first of two.
  private static func add<Key: Hashable>(
    _ entry: NamedTensors.Entry, to layer: Key, _ layers: inout [Key: Weights]
  ) {
    let parts = entry.name.split(separator: "/")
    let isVariable = parts.dropLast().last == "vars"
    // Without `:0`, TensorFlow's number of an output.
    let name = (parts.last ?? "").prefix { $0 != ":" }
    if name == "kernel" || name == "W" || name.hasSuffix("_W_1") || name.hasSuffix("_W")
      || isVariable && name == "0"
    {
      if layers[layer]?.kernel == nil { layers[layer, default: Weights()].kernel = entry }
    } else if name == "bias" || name == "b" || name.hasSuffix("_b_1") || name.hasSuffix("_b")
      || isVariable && name == "1"
    {
      if layers[layer]?.bias == nil { layers[layer, default: Weights()].bias = entry }
    }
  }

  /// How many convolutions each block has.
  private static func blocks(_ layers: [Layer: Weights], _ file: NamedTensors) throws(ModelError) -> [Int] {
    var places: [Int: Set<Int>] = [:]
    for case .convolution(let block, let place) in layers.keys { places[block, default: []].insert(place) }
    var counts: [Int] = []
    for block in places.keys.sorted() {
      let count = places[block]?.max() ?? 0
      let missing = (1...count).first { places[block]?.contains($0) == false }
      guard block == counts.count + 1, missing == nil else {
        throw .unsupported(
          path: file.path,
          expected: "block\(block == counts.count + 1 ? block : counts.count + 1)_conv\(missing ?? 1)",
          found: "block\(block)_conv\(count)")
      }
      counts.append(count)
    }
    return counts
  }

  /// Adds the fully connected layers, where they are those of a head that is known.
  private static func addHead(
    _ layers: [Layer: Weights], channels: Int, to encoder: inout ImportedEncoder, _ used: inout Set<String>,
    _ file: NamedTensors
  ) throws(ModelError) {
    guard let first = layers[.dense(1)], let shape = first.kernel?.shape, shape.rank == 2 else { return }
    let second = layers[.dense(2)]
    let width = shape[1]
    // A second layer may be the classifier, which has another width.
    let hasSecond = second?.kernel?.shape == [width, width]
    let heads: [VGGArchitecture.Head] = hasSecond ? [.full, .compact2] : [.compact]
    guard let head = heads.first(where: { $0.side * $0.side * channels == shape[0] }), width > 0 else {
      return
    }
    func add(_ weights: Weights, _ name: String, _ index: Int, _ size: Int, side: Int) throws(ModelError) {
      let kernel = try read(weights.kernel, "\(name)/kernel of shape [\(size), \(width)]", file) {
        $0 == [size, width]
      }
      let bias = try read(weights.bias, "\(name)/bias of shape [\(width)]", file) { $0 == [width] }
      encoder.tensors.append(("classifier.\(index).weight", dense(kernel, side: side)))
      encoder.tensors.append(("classifier.\(index).bias", bias))
      used.formUnion([weights.kernel?.name, weights.bias?.name].compactMap(\.self))
    }
    try add(first, "fc1", 0, shape[0], side: head.side)
    if let second, hasSecond { try add(second, "fc2", 3, width, side: 1) }
  }

  /// A tensor that must be there, of a shape.
  private static func read(
    _ entry: NamedTensors.Entry?, _ expected: String, _ file: NamedTensors, _ fits: (Shape) -> Bool
  ) throws(ModelError) -> Tensor {
    guard let entry, fits(entry.shape) else {
      throw .unsupported(
        path: file.path, expected: expected, found: entry.map { "\($0.name) of shape \($0.shape)" } ?? "none")
    }
    do { return try entry.read() } catch { throw .foreign(error) }
  }

  /// A kernel [3, 3, C, K] as [K, C, 3, 3].
  private static func convolution(_ kernel: Tensor) -> Tensor {
    let channels = kernel.shape[2]
    let outputs = kernel.shape[3]
    var result = Tensor(uninitialized: [outputs, channels, 3, 3])
    result.withUnsafeMutableBufferPointer { to in
      kernel.withUnsafeBufferPointer { from in
        for pixel in 0..<9 {
          for channel in 0..<channels {
            let row = (pixel * channels + channel) * outputs
            for output in 0..<outputs { to[(output * channels + channel) * 9 + pixel] = from[row + output] }
          }
        }
      }
    }
    return result
  }

  /// A kernel [side·side·C, K], inputs in rows of pixels of channels, as [K, C·side·side], inputs in channels of rows of
  /// pixels.
  private static func dense(_ kernel: Tensor, side: Int) -> Tensor {
    let inputs = kernel.shape[0]
    let outputs = kernel.shape[1]
    let pixels = side * side
    let channels = inputs / pixels
    var result = Tensor(uninitialized: [outputs, inputs])
    result.withUnsafeMutableBufferPointer { to in
      kernel.withUnsafeBufferPointer { from in
        // A few outputs at a time: what is written stays in the caches.
        for start in stride(from: 0, to: outputs, by: 16) {
          for pixel in 0..<pixels {
            for channel in 0..<channels {
              let row = (pixel * channels + channel) * outputs
              for output in start..<min(start + 16, outputs) {
                to[output * inputs + channel * pixels + pixel] = from[row + output]
              }
            }
          }
        }
      }
    }
    return result
  }
}
