import Requests
import Synchronization
import Testing

@testable import Service

@Suite struct TicketTests {
  @Test func theFirstResultCounts() async throws {
    let early = Ticket<Int>()
    early.settle(.success(1))
    early.settle(.success(2))
    #expect(try await early.value() == 1 && early.isSettled)
    let late = Ticket<Int>()
    let waiting = Task { try await late.value() }
    try await Task.sleep(for: .milliseconds(5))
    #expect(!late.isSettled)
    late.settle(.success(3))
    #expect(try await waiting.value == 3)
  }

  /// Nobody works for a task that was cancelled.
  @Test func cancellationSettles() async throws {
    let ticket = Ticket<Int>()
    let waiting = Task { try await ticket.value() }
    waiting.cancel()
    await #expect(throws: CancellationError.self) { try await waiting.value }
    #expect(ticket.isSettled)
  }
}

@Suite struct WorkQueueTests {
  @Test func firstComeFirstServed() {
    let queue = WorkQueue<Int>()
    for number in 0..<5 { queue.add(number) }
    #expect(queue.take(upTo: 3) == [0, 1, 2])
    // A full batch is not waited for, a part of one is.
    #expect(queue.take(upTo: 2, delay: .seconds(60)) == [3, 4])
    queue.add(5)
    #expect(queue.take(upTo: 2, delay: .milliseconds(1)) == [5])
    queue.add(6)
    queue.close()
    #expect(queue.take(upTo: 2, delay: .seconds(60)) == [6])
    #expect(queue.take(upTo: 2) == nil)
  }
}

@Suite struct TimeoutTests {
  @Test func whatIsSlowIsGivenUp() async throws {
    #expect(try await withTimeout(.seconds(60), .full) { 3 } == 3)
    await #expect(throws: Problem.full) {
      try await withTimeout(.milliseconds(1), .full) { try await Task.sleep(for: .seconds(60)) }
    }
  }
}
