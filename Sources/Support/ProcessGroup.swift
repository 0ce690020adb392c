internal import Glibc

/// Processes that work together, on one machine or on several, each with a rank.
///
/// All of them call the same functions in the same order; a call returns when all have made it (but for those of a
/// `SharedCounter`). Not for two threads at once.
public protocol ProcessGroup: AnyObject {
  /// Which of them this is, from 0.
  var rank: Int { get }
  /// How many there are.
  var size: Int { get }
  /// What working together has cost so far.
  var traffic: GroupTraffic { get }

  /// Adds up what all ranks have at each place, in the order of the ranks, where it is this rank's part (`part`); elsewhere
  /// the values are its own still.
  func addUpPart(_ values: UnsafeMutableBufferPointer<Float>) throws(ProcessGroupError)
  /// Gives every rank's part of the values to all.
  func shareParts(_ values: UnsafeMutableBufferPointer<Float>) throws(ProcessGroupError)
  /// What each rank gave, by rank.
  func gathered(_ bytes: [UInt8]) throws(ProcessGroupError) -> [[UInt8]]
  /// What rank 0 gave.
  func broadcast(_ bytes: [UInt8]) throws(ProcessGroupError) -> [UInt8]
  /// Waits for all.
  func meet() throws(ProcessGroupError)
  /// A number that all may add to, 0 at first.
  func makeCounter() throws(ProcessGroupError) -> any SharedCounter
  /// Ends all processes, at once.
  func abort(status: Int32) -> Never
}

/// What a process has spent on working together with others.
public struct GroupTraffic: Sendable, Equatable {
  /// Bytes that it has sent, as far as it knows.
  public var bytesSent = 0
  /// Seconds in which it sent, received, added up and waited.
  public var seconds = 0.0

  /// Nothing yet.
  public init() {}
}

/// A number that several processes add to, each when it likes.
public protocol SharedCounter: AnyObject {
  /// Adds to it.
  /// - Returns: what it was before.
  func add(_ amount: Int) throws(ProcessGroupError) -> Int
  /// Answers the others, where nobody but this process can; to be called now and then while it computes.
  func answer()
  /// Gives it up; all do.
  func close() throws(ProcessGroupError)
}

/// Why processes can't work together any more.
public struct ProcessGroupError: Error, CustomStringConvertible {
  /// What was tried.
  public let action: String
  /// What is said of it.
  public let reason: String

  /// An error of a library.
  public init(action: String, reason: String) {
    self.action = action
    self.reason = reason
  }

  /// One line.
  public var description: String { "\(action) with the other processes: \(reason)" }
}

extension ProcessGroup {
  /// Whether it is the rank that writes and reports.
  public var isFirst: Bool { rank == 0 }
  /// Whether there are others.
  public var isShared: Bool { size > 1 }

  /// The part of so many things that is a rank's: the ranks' parts follow each other.
  public func part(of count: Int, _ rank: Int) -> Range<Int> {
    let width = (count + size - 1) / size
    return min(count, rank * width)..<min(count, (rank + 1) * width)
  }

  /// The part of so many things that is this rank's.
  public func part(of count: Int) -> Range<Int> { part(of: count, rank) }

  /// The sums over all ranks, in their order.
  public func sums(_ values: [Double]) throws(ProcessGroupError) -> [Double] {
    guard isShared else { return values }
    let all = try gathered(values.withUnsafeBytes(Array.init)).map(Self.doubles)
    return values.indices.map { place in all.reduce(0) { $0 + $1[place] } }
  }

  /// The numbers that rank 0 gave.
  public func broadcast(_ values: [Double]) throws(ProcessGroupError) -> [Double] {
    guard isShared else { return values }
    return Self.doubles(try broadcast(values.withUnsafeBytes(Array.init)))
  }

  private static func doubles(_ bytes: [UInt8]) -> [Double] {
    bytes.withUnsafeBytes { bytes in
      (0..<bytes.count / 8).map { bytes.loadUnaligned(fromByteOffset: 8 * $0, as: Double.self) }
    }
  }
}

/// The group of a process that works alone.
public final class OneProcess: ProcessGroup {
  /// Nobody else.
  public init() {}

  /// 0.
  public var rank: Int { 0 }
  /// 1.
  public var size: Int { 1 }
  /// Nothing.
  public var traffic: GroupTraffic { GroupTraffic() }

  /// They are their sums.
  public func addUpPart(_ values: UnsafeMutableBufferPointer<Float>) {}
  /// All have them.
  public func shareParts(_ values: UnsafeMutableBufferPointer<Float>) {}
  /// Its own.
  public func gathered(_ bytes: [UInt8]) -> [[UInt8]] { [bytes] }
  /// Its own.
  public func broadcast(_ bytes: [UInt8]) -> [UInt8] { bytes }
  /// At once.
  public func meet() {}
  /// A number of its own.
  public func makeCounter() -> any SharedCounter { OwnCounter() }
  /// Ends the process.
  public func abort(status: Int32) -> Never { _exit(status) }
}

private final class OwnCounter: SharedCounter {
  private var value = 0

  func add(_ amount: Int) -> Int {
    defer { value += amount }
    return value
  }
  func answer() {}
  func close() {}
}
