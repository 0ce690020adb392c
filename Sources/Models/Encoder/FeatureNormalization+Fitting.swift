public import Kernels
internal import Layers
public import Tensors

extension FeatureNormalization {
  /// Whether it measures something.
  public var isFitted: Bool { name == .mean || name == .whiten }

  /// Images that are read together: sums are taken in blocks of as many.
  private static let block = 256

  /// Measures the features of training images.
  /// - Parameters:
  ///   - images: how many there are; to whiten more than `components`.
  ///   - epsilon: what is added to every variance before it is divided by, as a share of their mean, so that directions in
  ///     which images hardly differ do not become noise.
  ///   - read: the features [n, W] of some of the images.
  /// - Returns: whether the features are such that they can be measured: finite, and not too large.
  public mutating func fit(
    images: Int, epsilon: Double, on device: Device, read: (Range<Int>) -> Tensor
  ) -> Bool {
    guard isFitted, images > 0 else { return true }
    let ranges = stride(from: 0, to: images, by: Self.block).map { $0..<min(images, $0 + Self.block) }
    var sums: [Double] = []
    for range in ranges {
      let x = read(range)
      let width = x.shape[1]
      if sums.isEmpty { sums = [Double](repeating: 0, count: width) }
      x.withUnsafeBufferPointer { x in
        for place in x.indices { sums[place % width] += Double(x[place]) }
      }
    }
    guard name == .whiten else {
      let channels = stride(from: 0, to: sums.count, by: cells).map { first in
        Float(sums[first..<first + cells].reduce(0, +) / Double(images * cells))
      }
      mean!.value = Tensor(channels, [channels.count])
      return channels.allSatisfy(\.isFinite)
    }
    mean!.value = Tensor(sums.map { Float($0 / Double(images)) }, [sums.count])
    return fitComponents(ranges, images: images, epsilon: epsilon, on: device, read: read)
  }

  private mutating func fitComponents(
    _ ranges: [Range<Int>], images: Int, epsilon: Double, on device: Device, read: (Range<Int>) -> Tensor
  ) -> Bool {
    let (count, width) = (components!.value.shape[0], components!.value.shape[1])
    var covariance = [Double](repeating: 0, count: width * width)
    var product = Tensor(uninitialized: [width, width])
    for range in ranges {
      let x = centred(read(range))
      let memory = product.mutableMatrix()
      withExtendedLifetime(x) {
        multiply(.transposed(x.matrix), .plain(x.matrix), into: memory, on: device)
      }
      product.withUnsafeBufferPointer { product in
        for place in covariance.indices { covariance[place] += Double(product[place]) }
      }
    }
    let freedom = Double(max(1, images - 1))
    for place in covariance.indices { covariance[place] /= freedom }
    let variance = (0..<width).reduce(0.0) { $0 + covariance[$1 * width + $1] } / Double(width)
    guard covariance.allSatisfy(\.isFinite) else { return false }
    let eigen = SymmetricEigen(covariance, order: width, vectors: count, on: device)
    // Of features that are all alike every direction is as good.
    let added = max(epsilon * variance, Double(Float.leastNormalMagnitude))
    var rows = [Float](repeating: 0, count: count * width)
    for row in 0..<count {
      let scale = 1 / (max(0, eigen.values[row]) + added).squareRoot()
      for column in 0..<width {
        rows[row * width + column] = Float(eigen.vectors[row * width + column] * scale)
      }
    }
    components!.value = Tensor(rows, [count, width])
    return rows.allSatisfy(\.isFinite)
  }
}
