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
    for number in [SIGINT, SIGTERM] {
      signal(number) { number in
        if Interruption.flag.exchange(true, ordering: .acquiringAndReleasing) { _exit(128 + number) }
      }
    }
  }
}
