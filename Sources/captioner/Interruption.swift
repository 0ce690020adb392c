import Foundation
import Synchronization

/// Remembers that Ctrl-C or SIGTERM asked for the end; a second one ends the process at once.
enum Interruption {
  private static let flag = Atomic<Bool>(false)

  /// Whether the end was asked for.
  static var requested: Bool { flag.load(ordering: .acquiring) }

  /// From now on the signals are remembered instead of ending the process.
  static func watch() {
    // Initialises the flag here: a signal handler may only touch what exists already.
    _ = requested
    var signals = sigset_t()
    sigemptyset(&signals)
    for number in [SIGINT, SIGTERM] {
      sigaddset(&signals, number)
      signal(number) { number in
        if Interruption.flag.exchange(true, ordering: .acquiringAndReleasing) { _exit(128 + number) }
      }
    }
    // Programs that start others from threads of their own often leave them with all signals blocked.
    pthread_sigmask(SIG_UNBLOCK, &signals, nil)
  }
}
