import Synchronization

/// A flag that a signal raises and the work looks at.
final class SignalFlag: Sendable {
  private let raised = Atomic<Bool>(false)

  var isRaised: Bool { raised.load(ordering: .acquiring) }

  /// Raises it.
  /// - Returns: whether it was up already.
  func raise() -> Bool { raised.exchange(true, ordering: .acquiringAndReleasing) }
}
