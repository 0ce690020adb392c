internal import CKernels
public import Tensors

/// The extents of N maps [N, H, W, C], pixel after pixel, the channels of each together.
public struct MapShape: Sendable, Equatable {
  /// N.
  public var images: Int
  /// H.
  public var height: Int
  /// W.
  public var width: Int
  /// C.
  public var channels: Int

  /// N maps of H×W pixels of C channels.
  public init(images: Int, height: Int, width: Int, channels: Int) {
    self.images = images
    self.height = height
    self.width = width
    self.channels = channels
  }

  /// The extents of a tensor of four dimensions.
  public init(_ shape: Shape) {
    precondition(shape.rank == 4, "\(shape) is not that of maps")
    self.init(images: shape[0], height: shape[1], width: shape[2], channels: shape[3])
  }

  /// Scalars of one map.
  public var imageCount: Int { height * width * channels }
  /// Scalars of all maps.
  public var count: Int { images * imageCount }
  /// Whether there is no pixel.
  var isEmpty: Bool { images == 0 || height == 0 || width == 0 }

  /// One map, as the C functions take it.
  var image: ck_image { ck_image(height: Int32(height), width: Int32(width), channels: Int32(channels)) }
}

/// Maps [N, H, W, C] in memory that somebody else owns: their shape travels with the pointer.
public struct Maps {
  /// The first scalar.
  public let base: UnsafePointer<Float>
  /// The extents.
  public let shape: MapShape

  /// Maps at `base`, which must outlive them.
  public init(_ base: UnsafePointer<Float>, _ shape: MapShape) {
    self.base = base
    self.shape = shape
  }

  /// The maps that `maps` are, to be read.
  public init(_ maps: MutableMaps) { self.init(UnsafePointer(maps.base), maps.shape) }

  /// The first scalar of map `image`.
  public subscript(image: Int) -> UnsafePointer<Float> { base + image * shape.imageCount }

  /// Some of the maps; the memory is shared.
  public func images(_ range: Range<Int>) -> Maps {
    var part = shape
    part.images = range.count
    return Maps(self[range.lowerBound], part)
  }
}

/// `Maps` that may be written.
public struct MutableMaps {
  /// The first scalar.
  public let base: UnsafeMutablePointer<Float>
  /// The extents.
  public let shape: MapShape

  /// Maps at `base`, which must outlive them.
  public init(_ base: UnsafeMutablePointer<Float>, _ shape: MapShape) {
    self.base = base
    self.shape = shape
  }

  /// The first scalar of map `image`.
  public subscript(image: Int) -> UnsafeMutablePointer<Float> { base + image * shape.imageCount }
}

extension Tensor {
  /// A tensor [N, H, W, C] as maps, valid as `pointer` is.
  public var maps: Maps { Maps(pointer, MapShape(shape)) }

  /// The same to be written, valid as `mutablePointer` is.
  public mutating func mutableMaps() -> MutableMaps { MutableMaps(mutablePointer(), MapShape(shape)) }
}
