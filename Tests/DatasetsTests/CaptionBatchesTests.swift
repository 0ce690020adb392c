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
