internal import Synchronization

/// Hands out the numbers 0..<count to as many threads at a time: which of them holds which number is arbitrary.
final class SlotAllocator: Sendable {
  private let free: Mutex<[Int]>

  init(count: Int) { free = Mutex(Array(0..<count)) }

  func take() -> Int { free.withLock { $0.removeLast() } }
  func give(_ slot: Int) { free.withLock { $0.append(slot) } }
}
