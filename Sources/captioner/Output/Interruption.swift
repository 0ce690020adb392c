import Foundation
import Support
import Synchronization

/// Remembers that Ctrl-C, SIGTERM or a terminal that was closed (SIGHUP) asked for the end; a second one ends the process at once.
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
    for number in [SIGINT, SIGTERM, SIGHUP] where !isIgnored(number) { sigaddset(&signals, number) }
    return signals
  }

  /// Whether whoever started the process wants it to outlive the signal, as `nohup` does and a shell in the background.
  private static func isIgnored(_ number: Int32) -> Bool {
    var action = sigaction()
    guard sigaction(number, nil, &action) == 0 else { return false }
    return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == 1  // SIG_IGN
  }
}
