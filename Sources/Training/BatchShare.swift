/// The part of every batch that one of several processes learns from.
struct BatchShare: Equatable {
  /// Which process it is, of how many.
  let rank, count: Int

  /// Of a process that works alone.
  static let whole = BatchShare(rank: 0, count: 1)

  /// Which of some things are its own, in order. They are dealt out by weight, the heaviest first, there and back, so that
  /// all have about as much.
  func own(weights: [Int]) -> [Int] {
    guard count > 1 else { return Array(weights.indices) }
    let order = weights.indices.sorted { (weights[$1], $0) < (weights[$0], $1) }
    let mine = order.indices.filter { place in
      let turn = place % (2 * count)
      return (turn < count ? turn : 2 * count - 1 - turn) == rank
    }
    return mine.map { order[$0] }.sorted()
  }

  /// The same of things that weigh alike.
  func own(of count: Int) -> [Int] { own(weights: [Int](repeating: 1, count: count)) }
}
