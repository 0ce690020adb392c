internal import CKernels

/// Additive attention (Bahdanau et al. 2015) of some rows to the regions of their images:
///
///     eᵢ = w·f(kᵢ + q),  α = softmax e,  z = Σ αᵢ aᵢ
///
/// with K numbers in a key kᵢ, A in a value aᵢ, and R regions an image; f is tanh, or a ReLU.
public struct Attention {
  /// f, by which a key is compared with a query.
  public enum Comparison: String, Sendable, Codable, CaseIterable {
    /// As Bahdanau et al. 2015 and Xu et al. 2015.
    case tanh
    /// max(0, k + q), as a-PyTorch-Tutorial-to-Image-Captioning.
    case relu
  }

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
  /// f.
  public let comparison: Comparison

  /// Rows that look at images.
  public init(
    keys: Matrix, values: Matrix, regions: Int, scorer: UnsafePointer<Float>,
    images: UnsafeBufferPointer<Int32>, queries: Matrix?, comparison: Comparison = .tanh
  ) {
    precondition(keys.rows == values.rows && regions > 0 && keys.rows % regions == 0, "\(regions) regions")
    precondition(queries.map { $0.rows == images.count && $0.columns == keys.columns } ?? true)
    self.keys = keys
    self.values = values
    self.regions = regions
    self.scorer = scorer
    self.images = images
    self.comparison = comparison
    self.queries = queries
  }

  private func row(_ row: Int) -> ck_attention {
    ck_attention(
      keys: keys[Int(images[row]) * regions], query: queries?[row], scorer: scorer, regions: regions,
      size: keys.columns, rectified: comparison == .relu ? 1 : 0)
  }

  /// α of each row [rows, R] and z [rows, A].
  public func forward(weights: MutableMatrix, sums: MutableMatrix, on device: Device) {
    precondition(weights.rows == images.count && weights.columns == regions)
    precondition(sums.rows == images.count && sums.columns == values.columns)
    let kernels = device.kernels
    let (attend, sum) = (kernels.attention_weights!, kernels.row_times_matrix!)
    device.pool.runRows(images.count, columns: regions * (4 * keys.columns + values.columns)) { range in
      for row in range {
        attend(self.row(row), weights[row])
        sum(
          weights[row], values[Int(images[row]) * regions], values.stride, regions, values.columns, sums[row],
          0)
      }
    }
  }

  /// Gradients of what attention looks with; those of values follow once, of all steps (`addValueGradients`).
  public struct Gradients {
    /// Of keys [N·R, K]; added to.
    public let keys: MutableMatrix
    /// Of the scorer, an image a row [N, K]; added to.
    public let scorer: MutableMatrix
    /// Of the queries [rows, K]; overwritten.
    public let queries: MutableMatrix

    /// Memory for them.
    public init(keys: MutableMatrix, scorer: MutableMatrix, queries: MutableMatrix) {
      self.keys = keys
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
    precondition(regions.map { $0.count == images.count } ?? true)
    let seen = regions.map(Array.init)
    let kernels = device.kernels
    let (products, backward) = (kernels.matrix_times_row!, kernels.attention_backward!)
    // An image's rows are done by one thread, in order: they add to the same sums.
    let (rows, starts) = Self.rowsByImage(images, count: keys.rows / self.regions)
    device.pool.runRows(starts.count - 1, columns: self.regions * 8 * keys.columns) { range in
      for image in range {
        for row in rows[starts[image]..<starts[image + 1]] {
          if seen.map({ $0[row] < 0 }) ?? true {
            products(
              values[image * self.regions], values.stride, sums[row], self.regions, values.columns,
              weightGradients[row], 1)
          }
          backward(
            self.row(row), weights[row], weightGradients[row], gradients.keys[image * self.regions],
            gradients.scorer[image], gradients.queries[row])
        }
      }
    }
  }

  /// Adds the gradients of the values, Σ α δz over the rows that looked at each: a product an image, of the rows of all
  /// steps.
  /// - Parameters:
  ///   - values: [N·R, A].
  ///   - weights: α [rows, R].
  ///   - sums: δz [rows, A].
  ///   - images: which image each row looked at.
  ///   - regions: as in `backward`.
  public static func addValueGradients(
    to values: MutableMatrix, weights: Matrix, sums: Matrix, images: [Int32], seeing regions: [Int32]? = nil,
    on device: Device
  ) {
    let count = weights.columns
    precondition(weights.rows == images.count && sums.rows == images.count && sums.columns == values.columns)
    precondition(regions.map { seen in seen.count == images.count && seen.allSatisfy { $0 < count } } ?? true)
    let (rows, starts) = images.withUnsafeBufferPointer { rowsByImage($0, count: values.rows / count) }
    device.pool.runRows(starts.count - 1, columns: rows.count * count * sums.columns / starts.count) {
      range in
      var (alpha, gradients) = ([Float](), [Float]())
      for image in range where starts[image] < starts[image + 1] {
        // An image's rows are apart: step after step.
        let own = rows[starts[image]..<starts[image + 1]]
        (alpha, gradients) = ([], [])
        for row in own {
          if let regions, regions[row] >= 0 {
            alpha += [Float](repeating: 0, count: count)
            alpha[alpha.count - count + Int(regions[row])] = 1
          } else {
            alpha += UnsafeBufferPointer(start: weights[row], count: count)
          }
          gradients += UnsafeBufferPointer(start: sums[row], count: sums.columns)
        }
        alpha.withUnsafeBufferPointer { alpha in
          gradients.withUnsafeBufferPointer { gradients in
            multiplyHere(
              .transposed(Matrix(alpha.baseAddress!, rows: own.count, columns: count)),
              .plain(Matrix(gradients.baseAddress!, rows: own.count, columns: sums.columns)),
              into: values.rows(image * count..<(image + 1) * count), beta: 1)
          }
        }
      }
    }
  }

  /// The rows in the order of their images, and where each image's begin.
  private static func rowsByImage(
    _ images: UnsafeBufferPointer<Int32>, count: Int
  ) -> (rows: [Int], starts: [Int]) {
    var starts = [Int](repeating: 0, count: count + 1)
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
