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
    pool: ThreadPool = .shared
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
            shape: ConvolutionShape(inputChannels: c, outputChannels: k, pool: convolution.pool),
            weights: try file.stored(key + ".weight", shape: [k, c, 3, 3]),
            bias: try file.tensor(named: key + ".bias", shape: [k])))
      } catch { throw .weights(error) }
    }
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
    var (height, width) = (images.shape[1], images.shape[2])
    var channels = images.shape[3]
    growMaps(count: count, height: height, width: width)
    for index in layers.indices {
      let shape = layers[index].shape.fitted(images: count, height: height, width: width)
      let transformed = transformedWeights(index, shape)
      // Two maps take turns: one is read while the other is written.
      let source = index == 0 ? images.pointer : UnsafePointer(maps.0.mutablePointer())
      convolve(
        source, images: count, height: height, width: width, shape: shape, transformed: transformed,
        bias: layers[index].bias.pointer, into: maps.1.mutablePointer(), workspace: workspace, pool: pool)
      (height, width) = shape.outputSize(height: height, width: width)
      channels = shape.outputChannels
      maps = (maps.1, maps.0)
    }
    var result = Tensor(uninitialized: [count, height, width, channels])
    result.mutablePointer().update(from: maps.0.pointer, count: result.count)
    return result
  }

  private func growMaps(count: Int, height: Int, width: Int) {
    var (height, width) = (height, width)
    var needed = 0
    for layer in layers {
      (height, width) = layer.shape.outputSize(height: height, width: width)
      needed = max(needed, count * height * width * layer.shape.outputChannels)
    }
    if maps.0.count < needed { maps = (Tensor(uninitialized: [needed]), Tensor(uninitialized: [needed])) }
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
    if residency == .resident {
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
