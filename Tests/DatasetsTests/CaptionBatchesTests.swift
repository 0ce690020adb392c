import Datasets
import Testing

private func all(_ batches: CaptionBatches) -> [Int] { (0..<batches.count).flatMap { batches[$0] } }

@Test func everyCaptionComesOnce() {
  let batches = CaptionBatches(captionCount: 103, batchSize: 10, seed: 1, epoch: 1)
  #expect(batches.count == 11)
  #expect((0..<11).map { batches[$0].count } == Array(repeating: 10, count: 10) + [3])
  #expect(all(batches).sorted() == Array(0..<103))
  #expect(all(batches) != Array(0..<103))
}

@Test func seedAndEpochDecideTheOrder() {
  func order(seed: UInt64, epoch: Int, size: Int = 10) -> [Int] {
    all(CaptionBatches(captionCount: 100, batchSize: size, seed: seed, epoch: epoch))
  }
  #expect(order(seed: 1, epoch: 1) == order(seed: 1, epoch: 1))
  #expect(order(seed: 1, epoch: 1) == order(seed: 1, epoch: 1, size: 7))
  #expect(order(seed: 1, epoch: 1) != order(seed: 1, epoch: 2))
  #expect(order(seed: 1, epoch: 1) != order(seed: 2, epoch: 1))
}

@Test func smallAndHugeBatches() {
  #expect(CaptionBatches(captionCount: 0, batchSize: 10, seed: 1, epoch: 0).count == 0)
  let one = CaptionBatches(captionCount: 3, batchSize: Int.max, seed: 1, epoch: -1)
  #expect(one.count == 1 && one[0].count == 3)
  #expect(CaptionBatches(captionCount: 20, batchSize: 10, seed: 1, epoch: 0).count == 2)
}

@Test func bucketsHoldCaptionsOfLikeLength() {
  let lengths = (0..<1003).map { 5 + $0 * 7 % 20 }
  func batches(seed: UInt64 = 1, epoch: Int = 1) -> CaptionBatches {
    CaptionBatches(lengths: lengths, batchSize: 10, seed: seed, epoch: epoch, stretch: 20)
  }
  let some = batches()
  #expect(all(some).sorted() == Array(0..<1003))
  #expect(some.count == 101 && some[100].count == 3)
  let spreads = (0..<100).map { batch in
    let found = some[batch].map { lengths[$0] }
    return found.max()! - found.min()!
  }
  #expect(Double(spreads.reduce(0, +)) / 100 < 2)
  // Not from short to long.
  let means = (0..<100).map { batch in some[batch].map { lengths[$0] }.reduce(0, +) }
  #expect(means != means.sorted() && zip(means, means.dropFirst()).contains { $0 > $1 + 50 })
  #expect(all(some) == all(batches()))
  #expect(all(some) != all(batches(epoch: 2)) && all(some) != all(batches(seed: 2)))
  #expect(CaptionBatches(lengths: [], batchSize: 3, seed: 1, epoch: 1).count == 0)
  #expect(all(CaptionBatches(lengths: [4, 4], batchSize: 3, seed: 1, epoch: 1)).sorted() == [0, 1])
}

/// Two sets of 90 and 6 captions, half and half: the small one is gone round, each time in another order.
@Test func setsHaveTheirShares() {
  let sets = [Array(0..<90), Array(90..<96)]
  func batches(epoch: Int, weights: [Double] = [1, 1], seed: UInt64 = 1) -> CaptionBatches {
    CaptionBatches(sets: sets, weights: weights, batchSize: 16, seed: seed, epoch: epoch)
  }
  let first = all(batches(epoch: 1))
  #expect(first.count == 96 && batches(epoch: 1).count == 6)
  let (large, small) = (first.filter { $0 < 90 }, first.filter { $0 >= 90 })
  #expect(large.count == 48 && Set(large).count == 48)
  let rounds = (0..<8).map { Array(small[$0 * 6..<($0 + 1) * 6]) }
  #expect(rounds.allSatisfy { $0.sorted() == Array(90..<96) } && Set(rounds).count > 4)
  // The large one goes on where it was: two epochs have 96 of it, all 90 among the first.
  let second = all(batches(epoch: 2)).filter { $0 < 90 }
  #expect(Set(large + second.prefix(42)).count == 90)
  #expect(all(batches(epoch: 1)) == first && all(batches(epoch: 1, seed: 2)) != first)
  // In every batch, but for chance.
  for batch in 0..<6 { #expect((2...14).contains(batches(epoch: 1)[batch].count { $0 < 90 })) }
  #expect(all(batches(epoch: 3, weights: [0, 2])).allSatisfy { $0 >= 90 })
  let thirds = all(batches(epoch: 1, weights: [2, 1]))
  #expect(thirds.count { $0 < 90 } == 64 && thirds.count == 96)
}

@Test func setsInBatchesOfLikeLength() {
  let lengths = (0..<120).map { $0 % 10 }
  let batches = CaptionBatches(
    sets: [Array(0..<100), Array(100..<120)], weights: [1, 1], lengths: lengths, batchSize: 10, seed: 1,
    epoch: 1)
  #expect(all(batches).count { $0 < 100 } == 60)
  #expect(
    (0..<12).allSatisfy { batch in
      let found = batches[batch].map { lengths[$0] }
      return found.max()! - found.min()! <= 2
    })
}
