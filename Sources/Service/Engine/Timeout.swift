internal import Requests

/// What `body` gives, if it does so in time; else it is cancelled.
/// - Throws: what it throws; `error` when the time is over.
func withTimeout<R: Sendable>(
  _ limit: Duration, _ error: Problem, _ body: @escaping @Sendable () async throws -> R
) async throws -> R {
  try await withThrowingTaskGroup(of: R.self) { group in
    group.addTask(operation: body)
    group.addTask {
      try await Task.sleep(for: limit)
      throw error
    }
    defer { group.cancelAll() }
    guard let first = try await group.next() else { throw error }
    return first
  }
}
