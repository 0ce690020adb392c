internal import Tensors

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

  /// Keeps the order apart from other uses of the seed.
  private static let stream: UInt64 = 0x6261_7463_6865_73

  /// The number of batches.
  public var count: Int { (order.count + batchSize - 1) / batchSize }

  /// The caption indexes of batch `batch`, 0..<count.
  public subscript(batch: Int) -> ArraySlice<Int> {
    order[batch * batchSize..<min((batch + 1) * batchSize, order.count)]
  }
}
