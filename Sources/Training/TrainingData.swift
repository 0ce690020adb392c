public import Datasets
internal import Layers
internal import Language
internal import Tensors

/// The captions of a split as word ids, each with the row of its image's features.
public struct EncodedSplit {
  /// Word ids without start and end [captions].
  public let captions: [[Int32]]
  /// The row of each caption's image in `features` [captions].
  public let rows: [Int]
  /// Pooled maps of the images.
  public let features: FeatureCache
  /// Pooled maps of other views of the same images, for training to choose among.
  public let views: [FeatureCache]

  /// Captions about images whose features are done; those of unreadable images are left out.
  public init(captions: [[Int32]], rows: [Int], features: FeatureCache, views: [FeatureCache] = []) {
    precondition(captions.count == rows.count)
    let usable = rows.indices.filter { caption in
      ([features] + views).allSatisfy { $0.status(of: rows[caption]) == .done }
    }
    self.captions = usable.map { captions[$0] }
    self.rows = usable.map { rows[$0] }
    (self.features, self.views) = (features, views)
  }

  /// The captions at `indices` as a packed batch with a row of features, times `scale`, for each.
  /// - Parameter view: which view each of them sees; 0 is the image itself.
  func batch(
    _ indices: some Collection<Int>, scale: Float, view: (Int) -> Int = { _ in 0 }
  ) -> (captions: PackedCaptions, features: Tensor) {
    let chosen = Array(indices)
    var input = Tensor(uninitialized: [chosen.count, features.width])
    let memory = input.mutablePointer()
    let width = features.width
    for (position, index) in chosen.enumerated() {
      let seen = view(position)
      let cache = seen == 0 ? features : views[seen - 1]
      let source = cache.features(of: rows[index])
      for column in 0..<width { memory[position * width + column] = source[column] * scale }
    }
    let packed = PackedCaptions.packing(
      chosen.map { captions[$0] }, imageRows: chosen.indices.map { Int32($0) }, start: Vocabulary.start,
      end: Vocabulary.end)
    return (packed.captions, input)
  }

  /// Names the captions and their images' rows: equal only if they all are.
  var fingerprint: UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    // FNV-1a (Fowler, Noll & Vo), a word at a time; the row begins each caption.
    func add(_ word: Int) { hash = (hash ^ UInt64(bitPattern: Int64(word))) &* 0x0000_0100_0000_01B3 }
    for (caption, row) in zip(captions, rows) {
      add(-1 - row)
      for word in caption { add(Int(word)) }
    }
    return hash
  }

  /// The standard deviation of all features: dividing by it lets one learning rate suit every encoder.
  func featureDeviation() -> Double {
    var (sum, squares, count) = (0.0, 0.0, 0)
    for row in Set(rows).sorted() {
      let source = features.features(of: row)
      for column in 0..<features.width {
        let value = Double(source[column])
        sum += value
        squares += value * value
      }
      count += features.width
    }
    guard count > 0 else { return 1 }
    let mean = sum / Double(count)
    let deviation = max(0, squares / Double(count) - mean * mean).squareRoot()
    return deviation > 0 && deviation.isFinite ? deviation : 1
  }
}
