import Foundation
public import Support

/// Threads that work together as processes do: for tests of what several ranks make of something.
public final class ThreadGroup: ProcessGroup {
  /// Which of them this is.
  public let rank: Int
  /// Nobody counts.
  public var traffic: GroupTraffic { GroupTraffic() }
  /// How many there are.
  public var size: Int { meeting.size }
  private let meeting: Meeting

  private init(rank: Int, _ meeting: Meeting) {
    self.rank = rank
    self.meeting = meeting
  }

  /// Runs `body` on so many threads, each as a rank of its own.
  /// - Returns: what each returned or threw, by rank.
  public static func run<Value: Sendable>(
    _ ranks: Int, _ body: @escaping @Sendable (ThreadGroup) throws -> Value
  ) -> [Result<Value, any Error>] {
    let meeting = Meeting(ranks)
    let results = Results<Value>()
    let finished = DispatchGroup()
    for rank in 0..<ranks {
      finished.enter()
      let thread = Thread {
        let result = Result { try body(ThreadGroup(rank: rank, meeting)) }
        if case .failure = result { meeting.leave() }
        results.add(rank, result)
        finished.leave()
      }
      thread.stackSize = 8 << 20
      thread.start()
    }
    finished.wait()
    return results.all
  }

  /// Adds up in the order of the ranks. Elsewhere nobody may count on anything.
  public func addUpPart(_ values: UnsafeMutableBufferPointer<Float>) throws(ProcessGroupError) {
    let all = try gathered(Array(UnsafeRawBufferPointer(values)))
    let own = part(of: values.count)
    for index in values.indices {
      values[index] =
        !own.contains(index)
        ? .nan
        : all.reduce(0) { sum, bytes in
          bytes.withUnsafeBytes { sum + $0.loadUnaligned(fromByteOffset: 4 * index, as: Float.self) }
        }
    }
  }

  /// Gives every rank's part to all.
  public func shareParts(_ values: UnsafeMutableBufferPointer<Float>) throws(ProcessGroupError) {
    let all = try gathered(Array(UnsafeRawBufferPointer(values)))
    for (rank, bytes) in all.enumerated() {
      for index in part(of: values.count, rank) {
        values[index] = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: 4 * index, as: Float.self) }
      }
    }
  }

  /// What each rank gave.
  public func gathered(_ bytes: [UInt8]) throws(ProcessGroupError) -> [[UInt8]] {
    try meeting.exchange(rank, bytes)
  }

  /// What rank 0 gave.
  public func broadcast(_ bytes: [UInt8]) throws(ProcessGroupError) -> [UInt8] { try gathered(bytes)[0] }

  /// Waits for all.
  public func meet() throws(ProcessGroupError) { _ = try gathered([]) }

  /// A number of the meeting's.
  public func makeCounter() throws(ProcessGroupError) -> any SharedCounter {
    if rank == 0 { meeting.resetCounter() }
    try meet()
    return Counter(meeting: meeting)
  }

  /// The others throw at their next call.
  public func abort(status: Int32) -> Never { fatalError("rank \(rank) ends all with status \(status)") }

  private final class Counter: SharedCounter {
    let meeting: Meeting
    init(meeting: Meeting) { self.meeting = meeting }
    func add(_ amount: Int) -> Int { meeting.count(amount) }
    func answer() {}
    func close() {}
  }
}

private final class Results<Value: Sendable>: @unchecked Sendable {
  private let lock = NSLock()
  private var byRank: [Int: Result<Value, any Error>] = [:]

  func add(_ rank: Int, _ result: Result<Value, any Error>) { lock.withLock { byRank[rank] = result } }
  var all: [Result<Value, any Error>] { byRank.sorted { $0.key < $1.key }.map(\.value) }
}

/// Where threads exchange what they have: `@unchecked Sendable`, for all is under the condition's lock.
private final class Meeting: @unchecked Sendable {
  let size: Int
  private let condition = NSCondition()
  private var given: [Int: [UInt8]] = [:]
  private var taken: [[UInt8]] = []
  private var generation = 0
  private var counter = 0
  private var isBroken = false

  init(_ size: Int) { self.size = size }

  func exchange(_ rank: Int, _ bytes: [UInt8]) throws(ProcessGroupError) -> [[UInt8]] {
    condition.lock()
    defer { condition.unlock() }
    let own = generation
    given[rank] = bytes
    if given.count == size {
      taken = (0..<size).compactMap { given[$0] }
      given = [:]
      generation += 1
      condition.broadcast()
    }
    while generation == own && !isBroken { condition.wait() }
    guard generation > own else { throw ProcessGroupError(action: "to meet", reason: "a rank is gone") }
    return taken
  }

  func leave() {
    condition.withLock {
      isBroken = true
      condition.broadcast()
    }
  }

  func resetCounter() { condition.withLock { counter = 0 } }

  func count(_ amount: Int) -> Int {
    condition.withLock {
      defer { counter += amount }
      return counter
    }
  }
}
