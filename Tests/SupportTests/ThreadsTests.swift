import Foundation
import Support
import Synchronization
import Testing

@Suite struct ThreadsTests {
  /// Whether SIGINT and SIGTERM are kept from this thread.
  private static func blocked() -> [Bool] {
    var mask = sigset_t()
    pthread_sigmask(SIG_BLOCK, nil, &mask)
    return [SIGINT, SIGTERM].map { sigismember(&mask, $0) == 1 }
  }

  @Test func keepsSignalsFromTheNewThreadAlone() {
    let before = Self.blocked()
    let found = Found()
    let done = DispatchSemaphore(value: 0)
    let started = startThread {
      let inside = Self.blocked()
      found.set(inside)
      done.signal()
    }
    #expect(started)
    #expect(done.wait(timeout: .now() + 60) == .success)
    #expect(found.value == [true, true])
    #expect(Self.blocked() == before)
  }

  /// What a thread holds goes with it.
  @Test func letsGoOfItsBody() {
    final class Held: Sendable {}
    weak var held: Held?
    do {
      let own = Held()
      held = own
      #expect(startThread { withExtendedLifetime(own) {} })
    }
    for _ in 0..<10_000 where held != nil { usleep(1_000) }
    #expect(held == nil)
  }
}

private final class Found: Sendable {
  private let flags = Mutex<[Bool]>([])
  var value: [Bool] { flags.withLock { $0 } }
  func set(_ new: [Bool]) { flags.withLock { $0 = new } }
}
