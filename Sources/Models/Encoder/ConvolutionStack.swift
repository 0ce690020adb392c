public import Kernels
public import Tensors

/// When the weights of convolutions are transformed for the Winograd kernels.
public enum WeightCaching: Sendable {
  /// At each call, layer by layer, as `convolveOnce` does: least memory (19 MB for VGG-16 and two threads), for one image.
  case streamed
  /// Once, and kept (235 MB for VGG-16): for many images.
  case resident
}

/// The convolutions of a VGG network: images to the last map. Not for use by two threads at once.
public final class ConvolutionStack {
  private struct Layer {
    let descriptor: ConvolutionDescriptor
    let weights: StoredConvolution
    var transformed: [WinogradTile: Tensor] = [:]
  }

  private var layers: [Layer]
  /// The first two, where they can be done together.
  private let leading: ConvolutionPair?
  private let caching: WeightCaching
  private let workspace = ConvolutionWorkspace()
  private var maps = (Tensor(uninitialized: [0]), Tensor(uninitialized: [0]))
  private let device: Device

  /// Loads `PREFIXfeatures.N.weight` and `.bias` of every convolution of the table, and its batch normalisation.
  /// - Throws: `ModelError.weights` naming the tensor that is missing or of another shape;
  ///   `.unsupported` for a table with two pools in a row.
  public init(
    _ architecture: VGGArchitecture, weights file: SafetensorsFile, prefix: String, caching: WeightCaching,
    on device: Device
  ) throws(ModelError) {
    for (first, second) in zip(architecture.layers, architecture.layers.dropFirst())
    where first == .pool && second == .pool {
      throw .unsupported(
        path: file.path, expected: "a convolution before each pool", found: architecture.table)
    }
    layers = []
    for convolution in architecture.convolutions {
      let (c, k) = (convolution.inputChannels, convolution.outputChannels)
      layers.append(
        Layer(
          descriptor: ConvolutionDescriptor(
            inputChannels: c, outputChannels: k, pool: convolution.pool, arithmetic: device.arithmetic),
          weights: try StoredConvolution(convolution, of: architecture, weights: file, prefix: prefix)))
    }
    leading = layers.count < 2 ? nil : ConvolutionPair(layers[0].descriptor, layers[1].descriptor)
    self.caching = caching
    self.device = device
  }

  /// The last map [N, h, w, C] of images [N, H, W, 3].
  ///
  /// Every pool halves height and width, rounding down; an image too small to survive that gives an empty map.
  public func callAsFunction(_ images: Tensor) -> Tensor {
    let shapes = shapes(of: MapShape(images.shape))
    precondition(shapes[0].channels == layers[0].descriptor.inputChannels, "\(images.shape)")
    let last = shapes[layers.count]
    var result = Tensor(uninitialized: [last.images, last.height, last.width, last.channels])
    let first = leading == nil ? 0 : 1
    let floats = shapes[(first + 1)..<layers.count].map(\.count).max() ?? 0
    if maps.0.count < floats { maps = (Tensor(uninitialized: [floats]), Tensor(uninitialized: [floats])) }
    var source = images.maps
    for index in first..<layers.count {
      // Two maps take turns: one is read while the other is written.
      let memory = index == layers.count - 1 ? result.mutablePointer() : maps.0.mutablePointer()
      let destination = MutableMaps(memory, shapes[index + 1])
      if index == first, let leading {
        leading(
          source, parameters(0, leading.first), parameters(1, leading.second), into: destination,
          workspace: workspace, on: device)
      } else {
        let descriptor = layers[index].descriptor.fitted(to: source.shape)
        let weights = layers[index].weights
        if caching == .streamed, descriptor.usesWinograd {
          convolveOnce(
            source, descriptor, bias: weights.bias.pointer, into: destination, workspace: workspace,
            on: device
          ) { weights.read($0, into: $1) }
        } else {
          convolve(
            source, descriptor, parameters(index, descriptor), into: destination, workspace: workspace,
            on: device)
        }
      }
      source = Maps(destination)
      maps = (maps.1, maps.0)
    }
    return result
  }

  /// The shape of each layer's input, and last of the last map.
  private func shapes(of images: MapShape) -> [MapShape] {
    var shapes = [images]
    for layer in layers { shapes.append(layer.descriptor.output(of: shapes.last!)) }
    return shapes
  }

  private func parameters(_ index: Int, _ descriptor: ConvolutionDescriptor) -> ConvolutionParameters {
    ConvolutionParameters(
      transformed: transformedWeights(index, descriptor), bias: layers[index].weights.bias.pointer)
  }

  private func transformedWeights(_ index: Int, _ descriptor: ConvolutionDescriptor) -> UnsafePointer<Float> {
    if let kept = layers[index].transformed[descriptor.tile] { return kept.pointer }
    let weights = layers[index].weights
    var memory = Tensor(uninitialized: [descriptor.transformedCount])
    let pointer = memory.mutablePointer()
    transformWeights(descriptor, into: pointer, workspace: workspace, on: device) {
      weights.read($0, into: $1)
    }
    layers[index].transformed[descriptor.tile] = memory
    return UnsafePointer(pointer)
  }
}
