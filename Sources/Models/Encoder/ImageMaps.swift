internal import Kernels
public import Tensors

/// What is computed of an image once and kept, and what the network reads of it.
extension ModelDescription {
  /// What is taken of an image: the averaged map, or for a decoder that attends to regions the last map itself.
  public var tap: VGGEncoder.Tap { decoder.conditioning.attends ? .map : .pooled }

  /// The last map's shape [h, w, C].
  public var mapShape: Shape {
    encoder.mapShape(height: preprocessing.height, width: preprocessing.width)
  }

  /// Scalars of what is taken of an image.
  public var mapSize: Int { tap == .map ? mapShape.count : encoder.pooledSize }

  /// What the head reads [N, pooledSize] of what was taken of images [N, mapSize].
  public func pooled(_ maps: Tensor) -> Tensor {
    guard tap == .map else { return maps }
    return adaptiveAveragePool(
      maps.reshaped(Shape([maps.shape[0]] + mapShape.dimensions)), side: encoder.side)
  }

  /// The regions [N, h·w, C] that the decoder attends to; nil where it does not.
  public func regions(_ maps: Tensor) -> Tensor? {
    guard tap == .map, let attention = decoder.attention else { return nil }
    var regions = maps.reshaped([maps.shape[0], mapShape[0] * mapShape[1], mapShape[2]])
    if attention.scale != 1 {
      let memory = regions.mutablePointer()
      for place in 0..<regions.count { memory[place] *= attention.scale }
    }
    return regions
  }
}
