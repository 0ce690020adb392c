import Dispatch
import Support
import Synchronization
import Testing

@testable import Kernels

@Suite struct ThreadPoolTests {
  @Test(arguments: [1, 2, 5]) func doesEveryPieceOnce(threads: Int) {
    let pool = ThreadPool(threads: threads)
    for count in [0, 1, 2, 100, 1000] {
      let counts = Mutex([Int](repeating: 0, count: count))
      pool.run(count) { index in counts.withLock { $0[index] += 1 } }
      #expect(counts.withLock { $0 } == [Int](repeating: 1, count: count))
    }
  }

  /// Where the system gives fewer threads than are wanted, these do all the work.
  @Test(arguments: [0, 2]) func worksWithTheThreadsThereAre(given: Int) {
    var left = given
    let pool = ThreadPool(threads: 8) { body in
      left -= 1
      return left >= 0 && startThread(body)
    }
    #expect(pool.threads == given + 1)
    let counts = Mutex([Int](repeating: 0, count: 100))
    for _ in 0..<3 { pool.run(100) { index in counts.withLock { $0[index] += 1 } } }
    #expect(counts.withLock { $0 } == [Int](repeating: 3, count: 100))
  }

  /// Jobs don't wait for a thread that isn't ready; it joins the one under way.
  @Test func threadsMayComeLate() throws {
    let gate = DispatchSemaphore(value: 0)
    let pool = ThreadPool(threads: 2) { body in
      startThread {
        gate.wait()
        body()
      }
    }
    let done = Atomic<Int>(0)
    for _ in 0..<3 { pool.run(4) { _ in done.add(1, ordering: .relaxed) } }
    #expect(done.load(ordering: .relaxed) == 12)
    // Each piece waits for the other: the late thread must do one.
    let begun = Atomic<Int>(0)
    pool.run(2) { _ in
      if begun.add(1, ordering: .relaxed).newValue == 1 { gate.signal() }
      let deadline = ContinuousClock.now + .seconds(30)
      while begun.load(ordering: .relaxed) < 2 && ContinuousClock.now < deadline {}
      if begun.load(ordering: .relaxed) == 2 { done.add(1, ordering: .relaxed) }
    }
    #expect(done.load(ordering: .relaxed) == 14)
    pool.run(100) { _ in done.add(1, ordering: .relaxed) }
    #expect(done.load(ordering: .relaxed) == 114)
  }

  /// A job inside a piece is done by the thread that started it: no deadlock.
  @Test func nests() {
    let pool = ThreadPool(threads: 3)
    let total = Atomic<Int>(0)
    pool.run(8) { _ in pool.run(8) { _ in total.add(1, ordering: .relaxed) } }
    #expect(total.load(ordering: .relaxed) == 64)
  }

  /// Threads that have gone to sleep wake for the next job: each piece waits for the other, so two threads must do them.
  @Test func wakesAfterAPause() async throws {
    let pool = ThreadPool(threads: 2)
    let begun = Atomic<Int>(0)
    let met = Atomic<Int>(0)
    for round in 1...20 {
      pool.run(2) { _ in
        begun.add(1, ordering: .relaxed)
        let deadline = ContinuousClock.now + .seconds(30)
        while begun.load(ordering: .relaxed) < 2 * round && ContinuousClock.now < deadline {}
        if begun.load(ordering: .relaxed) == 2 * round { met.add(1, ordering: .relaxed) }
      }
      try #require(met.load(ordering: .relaxed) == 2 * round)
      try await Task.sleep(for: .milliseconds(2))
    }
  }
}
