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
    self.batchSize = min(batchSize, max(lengths.count, 1))
    var random = Random(seed: seed, stream: Self.stream, UInt64(bitPattern: Int64(epoch)))
    let shuffled = (0..<lengths.count).shuffled(using: &random)
    order = Self.bucketed(shuffled, lengths, self.batchSize, stretch: stretch, using: &random)
  }

  /// Batches of an epoch in which several sets of captions have shares of their own, whatever their sizes. The epoch is
  /// as long as one that has every caption once. Each set is gone round in random order and, once all of it was had, in
  /// another; the next epoch goes on where this one left off.
  /// - Parameters:
  ///   - sets: the captions of each set.
  ///   - weights: one a set, 0 or more, not all 0; a set with a weight has captions.
  ///   - lengths: the number of words of each caption, for batches of captions of like length.
  public init(
    sets: [[Int]], weights: [Double], lengths: [Int]? = nil, batchSize: Int, seed: UInt64, epoch: Int
  ) {
    precondition(batchSize > 0 && sets.count == weights.count && weights.contains { $0 > 0 })
    let total = sets.reduce(0) { $0 + $1.count }
    let counts = Self.apportioned(total, by: weights)
    var rounds = zip(sets, counts).enumerated().map { number, set in
      Rounds(of: set.0, from: (epoch - 1) * set.1, seed: seed, stream: Self.stream, UInt64(number) + 1)
    }
    var random = Random(seed: seed, stream: Self.stream, UInt64(bitPattern: Int64(epoch)))
    let turns = counts.indices.flatMap { repeatElement($0, count: counts[$0]) }.shuffled(using: &random)
    let mixed = turns.map { rounds[$0].next() }
    self.batchSize = min(batchSize, max(total, 1))
    if let lengths {
      order = Self.bucketed(mixed, lengths, self.batchSize, stretch: 50, using: &random)
    } else {
      order = mixed
    }
  }

  /// `total` divided in proportion to weights, what rounding leaves to the largest remainders.
  private static func apportioned(_ total: Int, by weights: [Double]) -> [Int] {
    let sum = weights.reduce(0, +)
    let exact = weights.map { $0 / sum * Double(total) }
    var counts = exact.map { Int(saturating: $0.rounded(.down)) }
    let byRemainder = exact.indices.sorted {
      let (one, other) = (exact[$0] - Double(counts[$0]), exact[$1] - Double(counts[$1]))
      return one != other ? one > other : $0 < $1
    }
    for place in byRemainder.prefix(max(0, total - counts.reduce(0, +))) { counts[place] += 1 }
    return counts
  }

  /// What is shuffled already, in batches of like length.
  private static func bucketed(
    _ shuffled: [Int], _ lengths: [Int], _ size: Int, stretch: Int, using random: inout Random
  ) -> [Int] {
    let whole = shuffled.count / size
    var batches: [ArraySlice<Int>] = []
    batches.reserveCapacity(whole)
    for first in stride(from: 0, to: whole, by: stretch) {
      // The standard library's sort is stable: captions of one length stay shuffled.
      let sorted = shuffled[first * size..<min(first + stretch, whole) * size]
        .sorted { lengths[$0] < lengths[$1] }
      batches += stride(from: 0, to: sorted.count, by: size).map { sorted[$0..<$0 + size] }
    }
    batches.shuffle(using: &random)
    return batches.flatMap(\.self) + shuffled[(whole * size)...]
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

/// A list gone round without end, each time in another random order; any place of it can be begun at.
private struct Rounds {
  private let members: [Int]
  private let seed: UInt64
  private let stream: [UInt64]
  private var round: Int
  private var place: Int
  private var order: [Int] = []

  /// - Parameters:
  ///   - start: how many were had before.
  ///   - stream: names the orders.
  init(of members: [Int], from start: Int, seed: UInt64, stream: UInt64...) {
    self.members = members
    self.seed = seed
    self.stream = stream
    round = start / max(1, members.count)
    place = start % max(1, members.count)
  }

  /// The next one; there must be some.
  mutating func next() -> Int {
    if place == members.count {
      round += 1
      place = 0
      order = []
    }
    if order.isEmpty {
      var random = Random(seed: seed, stream: stream + [UInt64(round)])
      order = members.shuffled(using: &random)
    }
    defer { place += 1 }
    return order[place]
  }
}
