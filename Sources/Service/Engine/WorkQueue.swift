internal import Foundation

/// Things that threads wait for, first come first served.
///
/// `@unchecked Sendable`: the condition's lock guards all that changes.
final class WorkQueue<Element: Sendable>: @unchecked Sendable {
  private let condition = NSCondition()
  private var waiting: [Element] = []
  private var isClosed = false

  /// Adds an element; after `close` it is not taken any more.
  func add(_ element: Element) {
    condition.lock()
    waiting.append(element)
    condition.broadcast()
    condition.unlock()
  }

  /// What waits, at most `count`: waited for, and then `delay` for more. Nil when the queue is closed and empty.
  func take(upTo count: Int, delay: Duration = .zero) -> [Element]? {
    condition.lock()
    defer { condition.unlock() }
    while waiting.isEmpty {
      if isClosed { return nil }
      condition.wait()
    }
    if delay > .zero && waiting.count < count {
      let end = Date(timeIntervalSinceNow: delay / .seconds(1))
      while waiting.count < count, !isClosed, condition.wait(until: end) {}
    }
    let taken = Array(waiting.prefix(count))
    waiting.removeFirst(taken.count)
    return taken
  }

  /// Lets the threads go when all is taken.
  func close() {
    condition.lock()
    isClosed = true
    condition.broadcast()
    condition.unlock()
  }
}
