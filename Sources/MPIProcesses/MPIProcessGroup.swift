#if MPI
  internal import CMPI
  internal import Foundation
  public import Support

  /// The processes that `mpirun` or `srun` started.
  public final class MPIProcessGroup: ProcessGroup {
    /// Which of them this is, from 0.
    public let rank: Int
    /// How many there are.
    public let size: Int
    /// What working together has cost so far.
    public private(set) var traffic = GroupTraffic()
    /// What other ranks have of this one's part of a sum.
    private var received: [Float] = []

    /// Joins them. Once a process.
    public init() throws(ProcessGroupError) {
      var (rank, size): (Int32, Int32) = (0, 0)
      // MPI starts threads, which begin with this one's mask: who is asked to end must learn of it as without them.
      let code = withoutEndingSignals { world_begin(&rank, &size) }
      try check(code, "to begin")
      (self.rank, self.size) = (Int(rank), Int(size))
    }

    /// The variables by which whoever starts several processes tells them so: Open MPI's, PMIx's (Open MPI 5, Slurm) and
    /// PMI's (MPICH, Slurm).
    private static let variables = ["OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK"]

    /// Whether this process was started as one of a group. (MPI alone can't be asked: to begin, it would start a group of
    /// one.)
    public static var isThere: Bool { variables.contains { getenv($0) != nil } }

    /// Adds up what all ranks have, where it is this rank's part: of n numbers it sends (R − 1)/R·n, as few as can be. The
    /// order is that of the ranks whatever MPI's own sums would do.
    public func addUpPart(_ values: UnsafeMutableBufferPointer<Float>) throws(ProcessGroupError) {
      guard size > 1, let base = values.baseAddress else { return }
      let begin = ContinuousClock.now
      defer { traffic.seconds += (ContinuousClock.now - begin) / .seconds(1) }
      let (counts, places) = try parts(of: values.count)
      let own = part(of: values.count)
      let rows = (0..<size).map { Int32($0 * own.count) }
      let widths = [Int32](repeating: Int32(own.count), count: size)
      if received.count < own.count * size { received = [Float](repeating: 0, count: own.count * size) }
      let code = received.withUnsafeMutableBufferPointer { received in
        let code = world_exchange(base, counts, places, received.baseAddress, widths, rows)
        guard code == 0, let first = received.baseAddress else { return code }
        let sums = base + own.lowerBound
        sums.update(from: first, count: own.count)
        for other in 1..<size {
          let row = first + other * own.count
          for index in 0..<own.count { sums[index] += row[index] }
        }
        return code
      }
      try check(code, "to exchange parts")
      traffic.bytesSent += 4 * (values.count - own.count)
    }

    /// Gives every rank's part to all: again (R − 1)/R·n.
    public func shareParts(_ values: UnsafeMutableBufferPointer<Float>) throws(ProcessGroupError) {
      guard size > 1, let base = values.baseAddress else { return }
      let begin = ContinuousClock.now
      defer { traffic.seconds += (ContinuousClock.now - begin) / .seconds(1) }
      let (counts, places) = try parts(of: values.count)
      try check(world_share(base, counts, places), "to share parts")
      traffic.bytesSent += 4 * part(of: values.count).count * (size - 1)
    }

    /// How many numbers the ranks' parts have, and where they begin.
    private func parts(of count: Int) throws(ProcessGroupError) -> (counts: [Int32], places: [Int32]) {
      guard count <= Int(Int32.max) / size else {
        throw ProcessGroupError(
          action: "to work", reason: "expected fewer than 2³¹ numbers, found \(count) of \(size) processes")
      }
      let parts = (0..<size).map { part(of: count, $0) }
      return (parts.map { Int32($0.count) }, parts.map { Int32($0.lowerBound) })
    }

    /// What each rank gave, by rank.
    public func gathered(_ bytes: [UInt8]) throws(ProcessGroupError) -> [[UInt8]] {
      let begin = ContinuousClock.now
      defer { traffic.seconds += (ContinuousClock.now - begin) / .seconds(1) }
      var lengths = [Int32](repeating: 0, count: size)
      var length = Int32(clamping: bytes.count)
      let four = [Int32](repeating: 4, count: size)
      try check(
        world_gather(&length, 4, &lengths, four, (0..<size).map { Int32(4 * $0) }), "to gather lengths")
      let total = lengths.reduce(0) { $0 + Int($1) }
      guard total <= Int(Int32.max) else {
        throw ProcessGroupError(action: "to gather", reason: "expected at most 2 GB, found \(total) bytes")
      }
      var places: [Int32] = [0]
      for length in lengths.dropLast() { places.append(places[places.count - 1] + length) }
      var all = [UInt8](repeating: 0, count: total)
      try check(world_gather(bytes, length, &all, lengths, places), "to gather")
      traffic.bytesSent += (bytes.count + 4) * (size - 1)
      return zip(places, lengths).map { Array(all[Int($0)..<Int($0 + $1)]) }
    }

    /// What rank 0 gave.
    public func broadcast(_ bytes: [UInt8]) throws(ProcessGroupError) -> [UInt8] {
      guard bytes.count <= Int(Int32.max) else {
        throw ProcessGroupError(
          action: "to tell", reason: "expected at most 2 GB, found \(bytes.count) bytes")
      }
      var length = Int32(bytes.count)
      try check(world_broadcast(&length, 4), "to tell a length")
      var result = rank == 0 ? bytes : [UInt8](repeating: 0, count: Int(length))
      try check(world_broadcast(&result, length), "to tell")
      if rank == 0 { traffic.bytesSent += (bytes.count + 4) * (size - 1) }
      return result
    }

    /// Waits for all.
    public func meet() throws(ProcessGroupError) { try check(world_barrier(), "to meet") }

    /// A number that all may add to, 0 at first; it lies at rank 0, and nobody else takes part when it is added to.
    public func makeCounter() throws(ProcessGroupError) -> any SharedCounter { try MPICounter(rank: rank) }

    /// Ends all processes, at once.
    public func abort(status: Int32) -> Never {
      _ = world_abort(status)
      _exit(status)
    }

    /// Leaves: the last call. All do.
    public func leave() { _ = world_end() }
  }

  private final class MPICounter: SharedCounter {
    private var counter = world_counter()

    init(rank: Int) throws(ProcessGroupError) {
      try check(world_counter_make(Int32(rank), &counter), "to make a counter")
    }

    func add(_ amount: Int) throws(ProcessGroupError) -> Int {
      var before: Int64 = 0
      try check(world_counter_add(&counter, Int64(amount), &before), "to count")
      return Int(before)
    }

    func answer() { _ = world_answer() }

    func close() throws(ProcessGroupError) { try check(world_counter_free(&counter), "to end a counter") }
  }

  /// Throws what an error code of MPI's says.
  private func check(_ code: Int32, _ action: String) throws(ProcessGroupError) {
    guard code != 0 else { return }
    var text = [CChar](repeating: 0, count: world_error_text_size + 1)
    var length: Int32 = 0
    _ = world_error_text(code, &text, &length)
    let bytes = text.prefix(Int(max(0, length))).map { UInt8(bitPattern: $0) }
    throw ProcessGroupError(action: action, reason: String(decoding: bytes, as: UTF8.self))
  }
#endif
