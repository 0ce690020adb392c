internal import Foundation

/// What a function gives for 0, 1, 2, …: each made on a thread of its own while the one before it is used, and no
/// sooner, so that two exist at most.
public final class Prefetcher<Element: Sendable>: Sequence, IteratorProtocol {
  private let hand = Hand<Element>()
  private var left: Int

  /// The elements `make(0)` … `make(count - 1)`, in order.
  public init(count: Int, _ make: @escaping @Sendable (Int) -> Element) {
    left = count
    let hand = hand
    let thread = Thread {
      for number in 0..<count {
        guard hand.isFree() else { return }
        hand.put(make(number))
      }
    }
    thread.stackSize = 1 << 21
    thread.start()
  }

  deinit { hand.close() }

  /// The next element, waited for if need be; nil after the last.
  public func next() -> Element? {
    guard left > 0 else { return nil }
    left -= 1
    return hand.take()
  }
}

/// Where one thread leaves a thing for another.
///
/// `@unchecked Sendable`: the condition's lock guards all that changes.
private final class Hand<Element: Sendable>: @unchecked Sendable {
  private let condition = NSCondition()
  private var element: Element?
  private var isClosed = false

  /// Waits until nothing lies here; false when nobody will take anything any more.
  func isFree() -> Bool {
    condition.lock()
    defer { condition.unlock() }
    while element != nil && !isClosed { condition.wait() }
    return !isClosed
  }

  func put(_ new: Element) {
    condition.lock()
    element = new
    condition.signal()
    condition.unlock()
  }

  func take() -> Element {
    condition.lock()
    defer { condition.unlock() }
    while true {
      if let taken = element {
        element = nil
        condition.signal()
        return taken
      }
      condition.wait()
    }
  }

  func close() {
    condition.lock()
    isClosed = true
    condition.signal()
    condition.unlock()
  }
}
