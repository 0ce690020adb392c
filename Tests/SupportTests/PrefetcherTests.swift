import Foundation
import Synchronization
import Testing

@testable import Support

@Suite struct PrefetcherTests {
  @Test(arguments: [0, 1, 2, 50]) func givesAllInOrder(count: Int) {
    #expect(Array(Prefetcher(count: count) { $0 * $0 }) == (0..<count).map { $0 * $0 })
  }

  /// While one is used the next is made, and no more: none is begun before the one before it is asked for.
  @Test func isOneAhead() {
    let made = Made()
    let prefetcher = Prefetcher(count: 9) { made.add($0) }
    for used in 0..<9 {
      made.ask()
      #expect(prefetcher.next() == used)
      let expected = min(9, used + 2)
      for _ in 0..<20_000 where made.count < expected { usleep(1_000) }
      // Time enough to make one too many, once.
      if used == 0 { usleep(200_000) }
      #expect(made.count == expected)
    }
    #expect(made.early == [])
  }

  /// Without a thread the elements are made as they are asked for.
  @Test func goesOnWhereThereIsNoThread() {
    let made = Made()
    let prefetcher = Prefetcher(count: 5, { made.add($0) }, startThread: { _ in false })
    for used in 0..<5 {
      #expect(prefetcher.next() == used)
      #expect(made.count == used + 1)
    }
    #expect(prefetcher.next() == nil)
  }

  /// There is nothing to overlap.
  @Test func startsNoThreadForOne() {
    let prefetcher = Prefetcher(
      count: 1, { $0 },
      startThread: { _ in
        Issue.record("a thread for one element")
        return false
      })
    #expect(Array(prefetcher) == [0])
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
  private struct State {
    var asked = 0
    var numbers: [Int] = []
    var early: [Int] = []
  }
  private let state = Mutex(State())
  var count: Int { state.withLock { $0.numbers.count } }
  /// Those that were made when not even the one before them was asked for.
  var early: [Int] { state.withLock { $0.early } }
  func ask() { state.withLock { $0.asked += 1 } }
  func add(_ number: Int) -> Int {
    state.withLock {
      if number > $0.asked { $0.early.append(number) }
      $0.numbers.append(number)
    }
    return number
  }
}
