import Foundation
import Service
import Support
import Synchronization

/// What signals ask of a service: SIGTERM and SIGINT to end, a second one to end at once, SIGHUP to load its model again.
///
/// As with `Interruption`, no handler runs: they are blocked, and a thread waits for them.
enum ServiceSignals {
  private static var set: sigset_t {
    var signals = sigset_t()
    sigemptyset(&signals)
    for number in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&signals, number) }
    return signals
  }

  /// From now on they wait. Call it on the main thread, before others begin.
  static func block() {
    var signals = set
    pthread_sigmask(SIG_BLOCK, &signals, nil)
  }

  /// Heeds them; false where the system gives no thread for it.
  static func watch(_ service: CaptionService) -> Bool {
    startThread {
      var signals = set
      var isEnding = false
      while true {
        var number: Int32 = 0
        guard sigwait(&signals, &number) == 0 else { continue }
        if number == SIGHUP {
          do {
            try service.reload()
            Console.note("captioner: the model was loaded again")
          } catch {
            Console.complain("the model stays as it was: \(error)")
          }
        } else if isEnding {
          _exit(128 + number)
        } else {
          isEnding = true
          Task { await service.shutDown() }
        }
      }
    }
  }
}
