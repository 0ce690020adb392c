import Support
import TestSupport
import Testing

@Suite struct ProcessGroupTests {
  @Test func oneProcessHasItsOwn() throws {
    let group = OneProcess()
    #expect(group.isFirst && !group.isShared && group.traffic == GroupTraffic())
    #expect(try group.sums([0.1, -3]) == [0.1, -3] && group.broadcast([2.5]) == [2.5])
    #expect(group.gathered([1, 2]) == [[1, 2]] && group.broadcast([3] as [UInt8]) == [3])
    let counter = group.makeCounter()
    #expect(try counter.add(3) == 0 && counter.add(1) == 3)
  }

  @Test func sumsAreInOrder() throws {
    // Of these, another order gives another sum.
    let values = [1e16, 1, -1e16]
    let sums = ThreadGroup.run(3) { try $0.sums([values[$0.rank], Double($0.rank)]) }
    for sum in sums { #expect(try sum.get() == [0, 3]) }
  }

  @Test func rankZeroTells() throws {
    for told in ThreadGroup.run(3, { try $0.broadcast([Double($0.rank) + 0.5, .infinity]) }) {
      #expect(try told.get() == [0.5, .infinity])
    }
  }

  @Test func countersHandOutEachNumberOnce() throws {
    let taken = ThreadGroup.run(4) { group in
      let counter = try group.makeCounter()
      return try (0..<50).map { _ in try counter.add(1) }
    }
    #expect(try taken.flatMap { try $0.get() }.sorted() == Array(0..<200))
  }
}
