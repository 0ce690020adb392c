internal import Foundation

/// Memory that decodes in flight share: who wants more than is left waits for the others.
///
/// `@unchecked Sendable`: the condition's lock guards all that changes.
final class MemoryBudget: @unchecked Sendable {
  /// Bytes in all.
  let total: Int
  private let condition = NSCondition()
  private var used = 0
  /// Work in hand at each stage. Only a stage's own work is waited for where nothing else is in its way, and the last
  /// stage always ends: so no two can wait for each other.
  private var working: [Stage: Int] = [.reading: 0, .decoding: 0]

  /// What memory is for: a file that is held while its pixels are decoded needs both.
  enum Stage { case reading, decoding }

  init(total: Int) { self.total = total }

  /// Calls `body` when `bytes` are to be had, or no other work of the stage is in hand.
  func with<R>(_ bytes: Int, for stage: Stage, _ body: () throws(ImageError) -> R) throws(ImageError) -> R {
    condition.lock()
    while used + bytes > total, working[stage, default: 0] > 0 { condition.wait() }
    used += bytes
    working[stage, default: 0] += 1
    condition.unlock()
    defer {
      condition.lock()
      used -= bytes
      working[stage, default: 0] -= 1
      condition.broadcast()
      condition.unlock()
    }
    return try body()
  }
}
