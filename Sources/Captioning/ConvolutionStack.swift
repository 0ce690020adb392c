public import Kernels
public import Tensors

/// The convolutions of a VGG network: images to the last map. Not for use by two threads at once.
public final class ConvolutionStack {
  /// When the weights are transformed for the Winograd kernels.
  public enum Residency: Sendable {
    /// At each call, layer by layer, into one reused buffer: least memory (38 MB for VGG-16), for one image.
    case streamed
    /// Once, and kept (235 MB for VGG-16): for many images.
    case resident
  }

  private struct Layer {
    let shape: ConvolutionShape
    let weights: StoredTensor
    let bias: Tensor
    var transformed: [WinogradTile: Tensor] = [:]
  }

  private var layers: [Layer]
  /// The first two, where they can be done together.
  private let leading: ConvolutionPair?
  private let residency: Residency
  private let workspace = ConvolutionWorkspace()
  private var streamBuffer = Tensor(uninitialized: [0])
  private var maps = (Tensor(uninitialized: [0]), Tensor(uninitialized: [0]))
  private let pool: ThreadPool

  /// Loads `PREFIXfeatures.N.weight` and `.bias` of every convolution of the table.
  /// - Throws: `ModelError.weights` naming the tensor that is missing or of another shape;
  ///   `.unsupported` for a table with two pools in a row.
  public init(
    _ architecture: VGGArchitecture, weights file: SafetensorsFile, prefix: String, residency: Residency,
    arithmetic: Arithmetic = .float32, pool: ThreadPool = .shared
  ) throws(ModelError) {
    for (first, second) in zip(architecture.layers, architecture.layers.dropFirst())
    where first == .pool && second == .pool {
      throw .unsupported(
        path: file.path, expected: "a convolution before each pool", found: architecture.table)
    }
    layers = []
    for convolution in architecture.convolutions {
      let (c, k) = (convolution.inputChannels, convolution.outputChannels)
      let key = "\(prefix)features.\(convolution.index)"
      do {
        layers.append(
          Layer(
            shape: ConvolutionShape(
              inputChannels: c, outputChannels: k, pool: convolution.pool, arithmetic: arithmetic),
            weights: try file.stored(key + ".weight", shape: [k, c, 3, 3]),
            bias: try file.tensor(named: key + ".bias", shape: [k])))
      } catch { throw .weights(error) }
    }
    leading = layers.count < 2 ? nil : ConvolutionPair(layers[0].shape, layers[1].shape)
    self.residency = residency
    self.pool = pool
  }

  /// The last map [N, h, w, C] of images [N, H, W, 3].
  ///
  /// Every pool halves height and width, rounding down; an image too small to survive that gives an empty map.
  public func callAsFunction(_ images: Tensor) -> Tensor {
    precondition(
      images.shape.rank == 4 && images.shape[3] == layers[0].shape.inputChannels, "\(images.shape)")
    let count = images.shape[0]
    let sizes = sizes(height: images.shape[1], width: images.shape[2])
    let last = sizes[layers.count]
    var result = Tensor(uninitialized: [count, last.height, last.width, last.channels])
    let first = leading == nil ? 0 : 1
    let floats = count * (sizes[(first + 1)..<layers.count].map(\.floats).max() ?? 0)
    if maps.0.count < floats { maps = (Tensor(uninitialized: [floats]), Tensor(uninitialized: [floats])) }
    var source = images.pointer
    for index in first..<layers.count {
      // Two maps take turns: one is read while the other is written.
      let destination = index == layers.count - 1 ? result.mutablePointer() : maps.0.mutablePointer()
      let size = sizes[index]
      if index == first, let leading {
        leading(
          source, images: count, height: size.height, width: size.width, parameters(0, leading.first),
          parameters(1, leading.second), into: destination, workspace: workspace, pool: pool)
      } else {
        let shape = layers[index].shape.fitted(images: count, height: size.height, width: size.width)
        convolve(
          source, images: count, height: size.height, width: size.width, shape: shape,
          transformed: transformedWeights(index, shape), bias: layers[index].bias.pointer, into: destination,
          workspace: workspace, pool: pool)
      }
      source = UnsafePointer(destination)
      maps = (maps.1, maps.0)
    }
    return result
  }

  private struct Size {
    var height, width, channels: Int
    var floats: Int { height * width * channels }
  }

  /// The size of each layer's input, and last of the last map.
  private func sizes(height: Int, width: Int) -> [Size] {
    var sizes = [Size(height: height, width: width, channels: layers[0].shape.inputChannels)]
    for layer in layers {
      let (height, width) = layer.shape.outputSize(height: sizes.last!.height, width: sizes.last!.width)
      sizes.append(Size(height: height, width: width, channels: layer.shape.outputChannels))
    }
    return sizes
  }

  private func parameters(_ index: Int, _ shape: ConvolutionShape) -> ConvolutionParameters {
    ConvolutionParameters(
      transformed: transformedWeights(index, shape), bias: layers[index].bias.pointer)
  }

  private func transformedWeights(_ index: Int, _ shape: ConvolutionShape) -> UnsafePointer<Float> {
    if let kept = layers[index].transformed[shape.tile] { return kept.pointer }
    let weights = layers[index].weights
    func transform(into memory: UnsafeMutablePointer<Float>) -> UnsafePointer<Float> {
      transformWeights(shape: shape, into: memory, workspace: workspace, pool: pool) {
        weights.read($0, into: $1)
      }
      return UnsafePointer(memory)
    }
    if residency == .resident || !shape.usesWinograd {
      var memory = Tensor(uninitialized: [shape.transformedCount])
      let pointer = transform(into: memory.mutablePointer())
      layers[index].transformed[shape.tile] = memory
      return pointer
    }
    if streamBuffer.count < shape.transformedCount {
      let largest = layers.map(\.shape.transformedCount).max() ?? 0
      streamBuffer = Tensor(uninitialized: [largest])
    }
    return transform(into: streamBuffer.mutablePointer())
  }
}
