internal import CKernels

/// How many outputs a Winograd tile has a side: F(2×2,3×3) or F(4×4,3×3) (Lavin & Gray 2016).
public enum WinogradTile: Int, Sendable {
  /// 4/9 of the definition's multiplications, 16·C·K transformed weights; training does not know it.
  case two = 2
  /// A quarter of the multiplications, 36·C·K transformed weights.
  case four = 4

  /// Points of the transform, each of which has a plane.
  var points: Int { (rawValue + 2) * (rawValue + 2) }

  func transforms(_ device: Device) -> ck_winograd {
    self == .four ? device.kernels.winograd_4 : device.kernels.winograd_2
  }
}

/// The tiles of a layer's images, and the two transforms over some of them.
struct WinogradTiles {
  /// The maps that the layer reads.
  let maps: MapShape
  let convolution: ConvolutionDescriptor
  let device: Device
  /// Tiles down an image.
  let rows: Int
  /// Tiles across an image.
  let columns: Int

  init(_ maps: MapShape, _ convolution: ConvolutionDescriptor, _ device: Device) {
    self.maps = maps
    self.convolution = convolution
    self.device = device
    let side = convolution.tile.rawValue
    rows = (maps.height + side - 1) / side
    columns = (maps.width + side - 1) / side
  }

  /// Tiles in all images.
  var count: Int { maps.images * rows * columns }

  /// The image, tile row and tile column of a tile.
  private func place(_ tile: Int) -> (image: Int, ty: Int32, tx: Int32) {
    let within = tile % (rows * columns)
    return (tile / (rows * columns), Int32(within / columns), Int32(within % columns))
  }

  /// Writes tiles of x [N, H, W, C] into rows of the planes [tiles, C], the first row given, `plane` elements of the
  /// convolution's arithmetic apart.
  func transformInput(
    _ x: UnsafePointer<Float>, _ range: Range<Int>, into planes: UnsafeMutableRawPointer,
    from first: Int = 0, plane: Int
  ) {
    let rounded = convolution.arithmetic == .bfloat16
    let rowBytes = maps.channels * (rounded ? 2 : 4)
    let image = maps.image
    let transform = convolution.tile.transforms(device).input!
    for (row, tile) in range.enumerated() {
      let (n, ty, tx) = place(tile)
      transform(
        x + n * maps.imageCount, image, ty, tx, planes + (first + row) * rowBytes, plane, rounded ? 1 : 0)
    }
  }

  /// Writes tiles of y [N, H', W', K] from the planes [tiles, K], `plane` floats apart.
  func transformOutput(
    _ planes: UnsafePointer<Float>, plane: Int, _ range: Range<Int>, bias: UnsafePointer<Float>,
    into y: UnsafeMutablePointer<Float>
  ) {
    let image = convolution.unpooled.output(of: maps).image
    let result = convolution.output(of: maps)
    let flags = (convolution.rectified ? Int32(CK_RELU) : 0) | (convolution.pool ? Int32(CK_POOL) : 0)
    let transform = convolution.tile.transforms(device).output!
    for (row, tile) in range.enumerated() {
      let (n, ty, tx) = place(tile)
      transform(
        planes + row * result.channels, plane, bias, y + n * result.imageCount, image, ty, tx, flags)
    }
  }
}
