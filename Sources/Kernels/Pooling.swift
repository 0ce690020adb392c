public import Tensors

/// The average of each cell of a side×side grid over maps [N, h, w, C], flattened as [N, C·side·side] with the
/// channel slowest, as torch flattens [C, side, side]. Cells are torch's AdaptiveAvgPool2d's: cell i spans rows
/// ⌊i·h/side⌋ to ⌈(i+1)·h/side⌉, so they may overlap or repeat.
public func adaptiveAveragePool(_ maps: Tensor, side: Int) -> Tensor {
  let (n, h, w, c) = (maps.shape[0], maps.shape[1], maps.shape[2], maps.shape[3])
  precondition(h > 0 && w > 0 && side > 0, "\(maps.shape) can't be averaged")
  var result = Tensor(uninitialized: [n, c * side * side])
  let destination = result.mutablePointer()
  withExtendedLifetime(maps) {
    adaptiveAveragePool(
      maps.pointer, images: n, side: side, height: h, width: w, channels: c, into: destination)
  }
  return result
}

/// The same over memory: maps [N, h, w, C] to [N, C·side·side].
public func adaptiveAveragePool(
  _ maps: UnsafePointer<Float>, images: Int, side: Int, height: Int, width: Int, channels: Int,
  into averages: UnsafeMutablePointer<Float>
) {
  var sums = [Float](repeating: 0, count: channels)
  for image in 0..<images {
    for cellY in 0..<side {
      let rows = (cellY * height / side)..<(((cellY + 1) * height + side - 1) / side)
      for cellX in 0..<side {
        let columns = (cellX * width / side)..<(((cellX + 1) * width + side - 1) / side)
        for channel in 0..<channels { sums[channel] = 0 }
        for y in rows {
          for x in columns {
            let pixel = maps + ((image * height + y) * width + x) * channels
            for channel in 0..<channels { sums[channel] += pixel[channel] }
          }
        }
        let scale = 1 / Float(rows.count * columns.count)
        let cell = averages + image * channels * side * side + cellY * side + cellX
        for channel in 0..<channels { cell[channel * side * side] = sums[channel] * scale }
      }
    }
  }
}

/// The backward pass of `adaptiveAveragePool`: δmaps [N, h, w, C], overwritten, from the gradient [N, C·side·side] of
/// the averages.
public func adaptiveAveragePoolBackward(
  _ gradient: UnsafePointer<Float>, images: Int, side: Int, height: Int, width: Int, channels: Int,
  into maps: UnsafeMutablePointer<Float>
) {
  maps.update(repeating: 0, count: images * height * width * channels)
  for image in 0..<images {
    for cellY in 0..<side {
      let rows = (cellY * height / side)..<(((cellY + 1) * height + side - 1) / side)
      for cellX in 0..<side {
        let columns = (cellX * width / side)..<(((cellX + 1) * width + side - 1) / side)
        let scale = 1 / Float(rows.count * columns.count)
        let cell = gradient + image * channels * side * side + cellY * side + cellX
        for y in rows {
          for x in columns {
            let pixel = maps + ((image * height + y) * width + x) * channels
            for channel in 0..<channels { pixel[channel] += cell[channel * side * side] * scale }
          }
        }
      }
    }
  }
}
