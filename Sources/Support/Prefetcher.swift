internal import Foundation

/// What a function gives for 0, 1, 2, …: each made on a thread of its own while the one before it is used, and no
/// sooner, so that two exist at most.
///
/// Where the system gives no thread, and where there is but one element, they are made as they are asked for. Whoever
/// stops in the middle lets the thread go: it ends when what it is making is made. Not for use by two threads at once.
public final class Prefetcher<Element: Sendable>: Sequence, IteratorProtocol {
  private let count: Int
  private let make: @Sendable (Int) -> Element
  /// Where the elements come from that are made by another thread; nil when there is none.
  private let hand: Hand<Element>?
  private var given = 0

  /// The elements `make(0)` … `make(count - 1)`, in order.
  public convenience init(count: Int, _ make: @escaping @Sendable (Int) -> Element) {
    self.init(count: count, make, startThread: startThread)
  }

  /// As the public one, with a way of one's own to start the thread.
  init(
    count: Int, _ make: @escaping @Sendable (Int) -> Element,
    startThread: (@escaping @Sendable () -> Void) -> Bool
  ) {
    self.count = count
    self.make = make
    let hand = Hand<Element>()
    let runs =
      count > 1
      && startThread {
        for number in 0..<count {
          guard hand.isFree() else { return }
          hand.put(make(number))
        }
      }
    self.hand = runs ? hand : nil
  }

  deinit { hand?.close() }

  /// The next element, waited for if need be; nil after the last.
  public func next() -> Element? {
    guard given < count else { return nil }
    defer { given += 1 }
    if let hand { return hand.take() }
    return make(given)
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
