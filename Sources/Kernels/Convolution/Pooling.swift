public import Tensors

/// The average of each cell of a side×side grid over maps [N, h, w, C], flattened as [N, C·side·side] with the
/// channel slowest, as torch flattens [C, side, side]. Cells are torch's AdaptiveAvgPool2d's: cell i spans rows
/// ⌊i·h/side⌋ to ⌈(i+1)·h/side⌉, so they may overlap or repeat.
public func adaptiveAveragePool(_ maps: Tensor, side: Int) -> Tensor {
  var result = Tensor(uninitialized: [maps.shape[0], maps.shape[3] * side * side])
  let destination = result.mutableMatrix()
  withExtendedLifetime(maps) { adaptiveAveragePool(maps.maps, side: side, into: destination) }
  return result
}

/// The same over memory: maps [N, h, w, C] to [N, C·side·side].
public func adaptiveAveragePool(_ maps: Maps, side: Int, into averages: MutableMatrix) {
  let shape = maps.shape
  precondition(shape.height > 0 && shape.width > 0 && side > 0, "\(shape) can't be averaged")
  precondition(averages.rows == shape.images && averages.columns == shape.channels * side * side)
  var sums = [Float](repeating: 0, count: shape.channels)
  for image in 0..<shape.images {
    for cellY in 0..<side {
      for cellX in 0..<side {
        let pixels = PoolingCell(cellX, cellY, of: side, shape)
        for channel in 0..<shape.channels { sums[channel] = 0 }
        for y in pixels.rows {
          for x in pixels.columns {
            let pixel = maps[image] + (y * shape.width + x) * shape.channels
            for channel in 0..<shape.channels { sums[channel] += pixel[channel] }
          }
        }
        let cell = averages[image] + cellY * side + cellX
        for channel in 0..<shape.channels { cell[channel * side * side] = sums[channel] * pixels.share }
      }
    }
  }
}

/// The backward pass of `adaptiveAveragePool`: δmaps [N, h, w, C], overwritten, from the gradient [N, C·side·side] of
/// the averages.
public func adaptiveAveragePoolBackward(_ gradient: Matrix, side: Int, into maps: MutableMaps) {
  let shape = maps.shape
  precondition(gradient.rows == shape.images && gradient.columns == shape.channels * side * side)
  maps.base.update(repeating: 0, count: shape.count)
  for image in 0..<shape.images {
    for cellY in 0..<side {
      for cellX in 0..<side {
        let pixels = PoolingCell(cellX, cellY, of: side, shape)
        let cell = gradient[image] + cellY * side + cellX
        for y in pixels.rows {
          for x in pixels.columns {
            let pixel = maps[image] + (y * shape.width + x) * shape.channels
            for channel in 0..<shape.channels { pixel[channel] += cell[channel * side * side] * pixels.share }
          }
        }
      }
    }
  }
}

/// The pixels that one cell of the grid averages.
private struct PoolingCell {
  let rows: Range<Int>
  let columns: Range<Int>
  /// What each counts for.
  let share: Float

  init(_ x: Int, _ y: Int, of side: Int, _ maps: MapShape) {
    rows = (y * maps.height / side)..<(((y + 1) * maps.height + side - 1) / side)
    columns = (x * maps.width / side)..<(((x + 1) * maps.width + side - 1) / side)
    share = 1 / Float(rows.count * columns.count)
  }
}
