import Foundation
import Support
import Synchronization

/// Remembers that Ctrl-C or SIGTERM asked for the end; a second one ends the process at once.
///
/// No handler runs on a thread that computes: oneDNN's kernels keep the stack pointer in memory of their own, where a
/// handler's frame would overwrite what lies below. The signals are blocked, and a thread of ours waits for them.
enum Interruption {
  private static let flag = Atomic<Bool>(false)

  /// Whether the end was asked for.
  static var requested: Bool { flag.load(ordering: .acquiring) }

  /// From now on the signals are remembered instead of ending the process. Call it on the main thread. Where the system
  /// gives no thread to wait for them, they end the process as ever.
  static func watch() {
    var signals = set
    pthread_sigmask(SIG_BLOCK, &signals, nil)
    let waits = startThread {
      var signals = set
      while true {
        var number: Int32 = 0
        guard sigwait(&signals, &number) == 0 else { continue }
        if flag.exchange(true, ordering: .acquiringAndReleasing) { _exit(128 + number) }
      }
    }
    if !waits { pthread_sigmask(SIG_UNBLOCK, &signals, nil) }
  }

  private static var set: sigset_t {
    var signals = sigset_t()
    sigemptyset(&signals)
    for number in [SIGINT, SIGTERM] {
      // An ignored signal would never arrive.
      signal(number, SIG_DFL)
      sigaddset(&signals, number)
    }
    return signals
  }
}
