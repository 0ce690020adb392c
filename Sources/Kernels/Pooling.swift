public import Tensors

/// The average of each cell of a side×side grid over maps [N, h, w, C], flattened as [N, C·side·side] with the
/// channel slowest, as torch flattens [C, side, side]. Cells are torch's AdaptiveAvgPool2d's: cell i spans rows
/// ⌊i·h/side⌋ to ⌈(i+1)·h/side⌉, so they may overlap or repeat.
public func adaptiveAveragePool(_ maps: Tensor, side: Int) -> Tensor {
  let (n, h, w, c) = (maps.shape[0], maps.shape[1], maps.shape[2], maps.shape[3])
  precondition(h > 0 && w > 0 && side > 0, "\(maps.shape) can't be averaged")
  var result = Tensor(uninitialized: [n, c * side * side])
  let (source, destination) = (maps.pointer, result.mutablePointer())
  var sums = [Float](repeating: 0, count: c)
  for image in 0..<n {
    for cellY in 0..<side {
      let rows = (cellY * h / side)..<(((cellY + 1) * h + side - 1) / side)
      for cellX in 0..<side {
        let columns = (cellX * w / side)..<(((cellX + 1) * w + side - 1) / side)
        for channel in 0..<c { sums[channel] = 0 }
        for y in rows {
          for x in columns {
            let pixel = source + ((image * h + y) * w + x) * c
            for channel in 0..<c { sums[channel] += pixel[channel] }
          }
        }
        let scale = 1 / Float(rows.count * columns.count)
        let cell = destination + image * c * side * side + cellY * side + cellX
        for channel in 0..<c { cell[channel * side * side] = sums[channel] * scale }
      }
    }
  }
  return result
}

/// The backward pass of `adaptiveAveragePool`: δmaps [N, h, w, C] of a map [h, w], overwritten, from the gradient
/// [N, C·side·side] of the averages.
public func adaptiveAveragePoolBackward(
  _ gradient: Tensor, side: Int, height: Int, width: Int, channels: Int,
  into maps: UnsafeMutablePointer<Float>
) {
  let n = gradient.shape[0]
  precondition(gradient.shape == [n, channels * side * side], "\(gradient.shape) for \(channels) channels")
  maps.update(repeating: 0, count: n * height * width * channels)
  withExtendedLifetime(gradient) {
    for image in 0..<n {
      for cellY in 0..<side {
        let rows = (cellY * height / side)..<(((cellY + 1) * height + side - 1) / side)
        for cellX in 0..<side {
          let columns = (cellX * width / side)..<(((cellX + 1) * width + side - 1) / side)
          let scale = 1 / Float(rows.count * columns.count)
          let cell = gradient.pointer + image * channels * side * side + cellY * side + cellX
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
}
