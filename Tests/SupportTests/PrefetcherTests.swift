import Foundation
import Synchronization
import Testing

@testable import Support

@Suite struct PrefetcherTests {
  @Test(arguments: [0, 1, 2, 50]) func givesAllInOrder(count: Int) {
    #expect(Array(Prefetcher(count: count) { $0 * $0 }) == (0..<count).map { $0 * $0 })
  }

  /// While one is used the next is made, and no more.
  @Test func isOnePrefetcher() {
    let made = Made()
    let prefetcher = Prefetcher(count: 9) { made.add($0) }
    for used in 0..<9 {
      #expect(prefetcher.next() == used)
      let expected = min(9, used + 2)
      for _ in 0..<2_000 where made.count < expected { usleep(1_000) }
      usleep(2_000)
      #expect(made.count == expected)
    }
  }

  /// Whoever stops in the middle lets the thread go, and what it holds.
  @Test func endsWhenNobodyListens() {
    weak var made: Made?
    do {
      let kept = Made()
      made = kept
      let prefetcher = Prefetcher(count: 1_000_000) { kept.add($0) }
      #expect(prefetcher.next() == 0)
    }
    for _ in 0..<2_000 where made != nil { usleep(1_000) }
    #expect(made == nil)
  }
}

private final class Made: Sendable {
  private let numbers = Mutex<[Int]>([])
  var count: Int { numbers.withLock { $0.count } }
  func add(_ number: Int) -> Int {
    numbers.withLock { $0.append(number) }
    return number
  }
}
