internal import CKernels

/// Additive attention (Bahdanau et al. 2015) of some rows to the regions of their images:
///
///     eᵢ = w·tanh(kᵢ + q),  α = softmax e,  z = Σ αᵢ aᵢ
///
/// with K numbers in a key kᵢ, A in a value aᵢ, and R regions an image.
public struct Attention {
  /// k of all images [N·R, K].
  public let keys: Matrix
  /// a of all images [N·R, A].
  public let values: Matrix
  /// R.
  public let regions: Int
  /// w [K].
  public let scorer: UnsafePointer<Float>
  /// Which image each row looks at.
  public let images: UnsafeBufferPointer<Int32>
  /// q of each row [rows, K]; nil: zero.
  public let queries: Matrix?

  /// Rows that look at images.
  public init(
    keys: Matrix, values: Matrix, regions: Int, scorer: UnsafePointer<Float>,
    images: UnsafeBufferPointer<Int32>, queries: Matrix?
  ) {
    precondition(keys.rows == values.rows && regions > 0 && keys.rows % regions == 0, "\(regions) regions")
    precondition(queries.map { $0.rows == images.count && $0.columns == keys.columns } ?? true)
    self.keys = keys
    self.values = values
    self.regions = regions
    self.scorer = scorer
    self.images = images
    self.queries = queries
  }

  private func row(_ row: Int) -> ck_attention {
    ck_attention(
      keys: keys[Int(images[row]) * regions], query: queries?[row], scorer: scorer, regions: regions,
      size: keys.columns)
  }

  /// α of each row [rows, R] and z [rows, A].
  public func forward(weights: MutableMatrix, sums: MutableMatrix, on device: Device) {
    precondition(weights.rows == images.count && weights.columns == regions)
    precondition(sums.rows == images.count && sums.columns == values.columns)
    let kernels = device.kernels
    let (attend, sum) = (kernels.attention_weights!, kernels.weighted_sum!)
    device.pool.runRows(images.count, columns: regions * (4 * keys.columns + values.columns)) { range in
      for row in range {
        attend(self.row(row), weights[row])
        sum(
          weights[row], values[Int(images[row]) * regions], regions, values.columns, sums[row])
      }
    }
  }

  /// Gradients of all that attention reads.
  public struct Gradients {
    /// Of keys [N·R, K] and values [N·R, A]; added to.
    public let keys, values: MutableMatrix
    /// Of the scorer, an image a row [N, K]; added to.
    public let scorer: MutableMatrix
    /// Of the queries [rows, K]; overwritten.
    public let queries: MutableMatrix

    /// Memory for them.
    public init(
      keys: MutableMatrix, values: MutableMatrix, scorer: MutableMatrix, queries: MutableMatrix
    ) {
      self.keys = keys
      self.values = values
      self.scorer = scorer
      self.queries = queries
    }
  }

  /// The same backwards.
  /// - Parameters:
  ///   - weights: α [rows, R].
  ///   - sums: δz [rows, A].
  ///   - weightGradients: what reaches α besides [rows, R]; overwritten.
  ///   - regions: the region of each row whose value z was, so that α had no part in it; -1, or nil: z was the sum.
  public func backward(
    weights: Matrix, sums: Matrix, weightGradients: MutableMatrix, seeing regions: ArraySlice<Int32>? = nil,
    into gradients: Gradients, on device: Device
  ) {
    let seen = regions.map(Array.init) ?? [Int32](repeating: -1, count: images.count)
    precondition(seen.count == images.count && seen.allSatisfy { $0 < self.regions })
    let kernels = device.kernels
    let (sumBackward, backward) = (kernels.weighted_sum_backward!, kernels.attention_backward!)
    // An image's rows are done by one thread, in order: they add to the same sums.
    let (rows, starts) = rowsByImage
    device.pool.runRows(starts.count - 1, columns: self.regions * 8 * keys.columns) { range in
      for image in range {
        for row in rows[starts[image]..<starts[image + 1]] {
          if seen[row] < 0 {
            sumBackward(
              weights[row], values[image * self.regions], sums[row], self.regions, values.columns,
              gradients.values[image * self.regions], weightGradients[row])
          } else {
            let value = gradients.values[image * self.regions + Int(seen[row])]
            kernels.axpy(1, sums[row], value, values.columns)
          }
          backward(
            self.row(row), weights[row], weightGradients[row], gradients.keys[image * self.regions],
            gradients.scorer[image], gradients.queries[row])
        }
      }
    }
  }

  /// The rows in the order of their images, and where each image's begin.
  private var rowsByImage: (rows: [Int], starts: [Int]) {
    var starts = [Int](repeating: 0, count: keys.rows / regions + 1)
    for image in images { starts[Int(image) + 1] += 1 }
    for image in starts.indices.dropFirst() { starts[image] += starts[image - 1] }
    var next = starts
    var rows = [Int](repeating: 0, count: images.count)
    for (row, image) in images.enumerated() {
      rows[next[Int(image)]] = row
      next[Int(image)] += 1
    }
    return (rows, starts)
  }
}
