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
