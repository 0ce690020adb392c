internal import Support

/// The batches of one epoch: every caption once, in an order that seed and epoch decide. Any batch can be asked for
/// alone, so an interrupted epoch goes on where it stopped.
public struct CaptionBatches: Sendable {
  /// Captions in a batch (B), at most as many as there are; the last may have fewer.
  public let batchSize: Int
  private let order: [Int]

  /// Batches of `batchSize` (at least 1) out of `captionCount` captions.
  public init(captionCount: Int, batchSize: Int, seed: UInt64, epoch: Int) {
    precondition(batchSize > 0 && captionCount >= 0, "\(captionCount) captions in batches of \(batchSize)")
    self.batchSize = min(batchSize, max(captionCount, 1))
    var random = Random(seed: seed, stream: Self.stream, UInt64(bitPattern: Int64(epoch)))
    order = (0..<captionCount).shuffled(using: &random)
  }

  /// Batches of captions of like length, in random order: the captions are shuffled, then sorted by length within
  /// stretches of `stretch` batches, and those batches shuffled. Only the last batch, of captions of any length, may
  /// be smaller than the others.
  /// - Parameter lengths: the number of words of each caption.
  public init(lengths: [Int], batchSize: Int, seed: UInt64, epoch: Int, stretch: Int = 50) {
    precondition(batchSize > 0 && stretch > 0, "stretches of \(stretch) batches of \(batchSize)")
    let size = min(batchSize, max(lengths.count, 1))
    var random = Random(seed: seed, stream: Self.stream, UInt64(bitPattern: Int64(epoch)))
    let shuffled = (0..<lengths.count).shuffled(using: &random)
    let whole = lengths.count / size
    var batches: [ArraySlice<Int>] = []
    batches.reserveCapacity(whole)
    for first in stride(from: 0, to: whole, by: stretch) {
      // The standard library's sort is stable: captions of one length stay shuffled.
      let sorted = shuffled[first * size..<min(first + stretch, whole) * size]
        .sorted { lengths[$0] < lengths[$1] }
      batches += stride(from: 0, to: sorted.count, by: size).map { sorted[$0..<$0 + size] }
    }
    batches.shuffle(using: &random)
    self.batchSize = size
    order = batches.flatMap(\.self) + shuffled[(whole * size)...]
  }

  /// Keeps the order apart from other uses of the seed.
  private static let stream: UInt64 = 0x6261_7463_6865_73

  /// The number of batches.
  public var count: Int { (order.count + batchSize - 1) / batchSize }

  /// The caption indexes of batch `batch`, 0..<count.
  public subscript(batch: Int) -> ArraySlice<Int> {
    order[batch * batchSize..<min((batch + 1) * batchSize, order.count)]
  }
}
