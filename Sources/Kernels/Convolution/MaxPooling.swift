internal import CKernels

/// The 2×2 max-pool of what ReLU let through of x [N, H, W, C], and which of its four pixels each of y [N, H/2, W/2, C]
/// was, in reading order, the first of equals; 4 where none is above zero.
public func maxPool(
  _ x: Maps, into y: MutableMaps, chosen: UnsafeMutablePointer<UInt8>, on device: Device
) {
  precondition(y.shape.height == x.shape.height / 2 && y.shape.width == x.shape.width / 2)
  precondition(y.shape.images == x.shape.images && y.shape.channels == x.shape.channels)
  let (choose, height) = (device.kernels.max_pool_choice_row!, y.shape.height)
  let rowCount = y.shape.width * y.shape.channels
  device.pool.run(y.shape.images * height) { row in
    choose(
      x[row / max(1, height)], x.shape.image, Int32(row % max(1, height)), y.base + row * rowCount,
      chosen + row * rowCount)
  }
}

/// The gradient through `maxPool` and the ReLU before it: δx [N, H, W, C], overwritten, of δy [N, H/2, W/2, C].
public func maxPoolBackward(
  _ dy: UnsafePointer<Float>, chosen: UnsafePointer<UInt8>, into dx: MutableMaps, on device: Device
) {
  let shape = dx.shape
  let (row, pooled) = (shape.width * shape.channels, shape.width / 2 * shape.channels)
  let unpool = device.kernels.unpool_row!
  device.pool.run(shape.images) { image in
    let first = dx.base + image * shape.imageCount
    for y in 0..<shape.height / 2 {
      let at = (image * (shape.height / 2) + y) * pooled
      unpool(
        dy + at, chosen + at, Int32(shape.width), Int32(shape.channels), first + 2 * y * row,
        first + (2 * y + 1) * row)
    }
    if shape.height % 2 == 1 { (first + (shape.height - 1) * row).update(repeating: 0, count: row) }
  }
}
