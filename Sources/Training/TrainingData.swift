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
  /// All captions of each image as tokens, by its row: more than `captions` where those are a choice.
  public let references: [Int: [[String]]]
  /// Pooled maps of the images.
  public let features: FeatureCache
  /// Pooled maps of other views of the same images, for training to choose among.
  public let views: [FeatureCache]

  /// Captions about images whose features are done; those of unreadable images are left out.
  public init(
    captions: [[Int32]], rows: [Int], references: [Int: [[String]]] = [:], features: FeatureCache,
    views: [FeatureCache] = []
  ) {
    precondition(captions.count == rows.count)
    let usable = rows.indices.filter { caption in
      ([features] + views).allSatisfy { $0.status(of: rows[caption]) == .done }
    }
    self.captions = usable.map { captions[$0] }
    self.rows = usable.map { rows[$0] }
    (self.references, self.features, self.views) = (references, features, views)
  }

  /// The captions at `indices`, each about a row of its own, and those rows' pooled maps times `scale`.
  /// - Parameter view: which view each of them sees; 0 is the image itself.
  func batch(_ indices: some Collection<Int>, scale: Float, view: (Int) -> Int) -> TrainingBatch {
    TrainingBatch(
      sentences: indices.map { captions[$0] },
      imageRows: indices.indices.enumerated().map { Int32($0.offset) },
      pooled: pooled(indices.map { rows[$0] }, scale: scale, view: view))
  }

  /// The pooled maps of some images, times `scale`, [N, width].
  func pooled(
    _ images: some Collection<Int>, scale: Float, view: (Int) -> Int = { _ in 0 }
  ) -> Tensor {
    let width = features.width
    var result = Tensor(uninitialized: [images.count, width])
    let memory = result.mutablePointer()
    for (position, row) in images.enumerated() {
      let seen = view(position)
      let source = (seen == 0 ? features : views[seen - 1]).features(of: row)
      for column in 0..<width { memory[position * width + column] = source[column] * scale }
    }
    return result
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
