internal import CKernels

/// How many outputs a Winograd tile has a side: F(2×2,3×3) or F(4×4,3×3) (Lavin & Gray 2016).
public enum WinogradTile: Int, Sendable {
  /// 4/9 of the definition's multiplications, 16·C·K transformed weights; training does not know it.
  case two = 2
  /// A quarter of the multiplications, 36·C·K transformed weights.
  case four = 4

  /// Points of the transform, each of which has a plane.
  var points: Int { (rawValue + 2) * (rawValue + 2) }

  var transforms: ck_winograd { self == .four ? kernels.winograd_4 : kernels.winograd_2 }
}

/// The tiles of a layer's images, and the two transforms over some of them.
struct WinogradTiles {
  let height, width: Int
  let shape: ConvolutionShape
  /// Tiles down and across an image, and in all images.
  let rows, columns, count: Int

  init(images: Int, height: Int, width: Int, shape: ConvolutionShape) {
    (self.height, self.width, self.shape) = (height, width, shape)
    let side = shape.tile.rawValue
    (rows, columns) = ((height + side - 1) / side, (width + side - 1) / side)
    count = images * rows * columns
  }

  /// The image, tile row and tile column of a tile.
  private func place(_ tile: Int) -> (image: Int, ty: Int32, tx: Int32) {
    let within = tile % (rows * columns)
    return (tile / (rows * columns), Int32(within / columns), Int32(within % columns))
  }

  /// Writes tiles of x [N, H, W, C] into rows of the planes [tiles, C], the first row given, `plane` elements of the
  /// shape's arithmetic apart.
  func transformInput(
    _ input: UnsafePointer<Float>, _ range: Range<Int>, into planes: UnsafeMutableRawPointer,
    from first: Int = 0,
    plane: Int
  ) {
    let c = shape.inputChannels
    let rounded = shape.arithmetic == .bfloat16
    let rowBytes = c * (rounded ? 2 : 4)
    let image = ck_image(height: Int32(height), width: Int32(width), channels: Int32(c))
    let transform = shape.tile.transforms.input!
    for (row, tile) in range.enumerated() {
      let (n, ty, tx) = place(tile)
      transform(
        input + n * height * width * c, image, ty, tx, planes + (first + row) * rowBytes, plane,
        rounded ? 1 : 0)
    }
  }

  /// Writes tiles of y [N, H', W', K] from the planes [tiles, K], `plane` floats apart.
  func transformOutput(
    _ planes: UnsafePointer<Float>, plane: Int, _ range: Range<Int>, bias: UnsafePointer<Float>,
    into output: UnsafeMutablePointer<Float>
  ) {
    let k = shape.outputChannels
    let image = ck_image(height: Int32(height), width: Int32(width), channels: Int32(k))
    let size = shape.outputSize(height: height, width: width)
    let flags = (shape.rectified ? Int32(CK_RELU) : 0) | (shape.pool ? Int32(CK_POOL) : 0)
    let transform = shape.tile.transforms.output!
    for (row, tile) in range.enumerated() {
      let (n, ty, tx) = place(tile)
      transform(
        planes + row * k, plane, bias, output + n * size.height * size.width * k, image, ty, tx, flags)
    }
  }
}
