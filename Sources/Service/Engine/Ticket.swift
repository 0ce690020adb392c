internal import Synchronization

/// Where one task waits for what a thread finds out. Whoever comes first with a result settles it; a task that is cancelled
/// while it waits settles it too, so that nobody works for it any more.
final class Ticket<Value: Sendable>: Sendable {
  private enum State {
    case open
    case awaited(CheckedContinuation<Value, any Error>)
    case settled(Result<Value, any Error>)
  }

  private let state = Mutex(State.open)

  /// Whether there is a result, so that nobody need find one.
  var isSettled: Bool {
    state.withLock { if case .settled = $0 { true } else { false } }
  }

  /// Hands over the result, unless there is one.
  func settle(_ result: Result<Value, any Error>) {
    let waiting = state.withLock { state -> CheckedContinuation<Value, any Error>? in
      switch state {
      case .open:
        state = .settled(result)
        return nil
      case .awaited(let continuation):
        state = .settled(result)
        return continuation
      case .settled: return nil
      }
    }
    waiting?.resume(with: result)
  }

  /// The result, waited for; by one task.
  /// - Throws: what it was settled with; `CancellationError`.
  func value() async throws -> Value {
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let known = state.withLock { state -> Result<Value, any Error>? in
          if case .settled(let result) = state { return result }
          state = .awaited(continuation)
          return nil
        }
        if let known { continuation.resume(with: known) }
      }
    } onCancel: {
      settle(.failure(CancellationError()))
    }
  }
}
