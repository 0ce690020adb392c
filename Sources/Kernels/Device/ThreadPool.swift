internal import Foundation
internal import Glibc
internal import Support
internal import Synchronization

/// A fixed set of threads that share the pieces of one job at a time, the caller's thread among them.
///
/// Pieces are handed out dynamically, so their results must not depend on who runs them; all kernels cut their
/// work into pieces by its shape alone, which makes results the same for any number of threads.
public final class ThreadPool: Sendable {
  /// The number of threads that work, the caller included.
  public let threads: Int
  private let shared: SharedJob

  /// A pool of `threads` threads, at least 1; of fewer where the system gives no more.
  public convenience init(threads: Int) { self.init(threads: threads, startThread: startThread) }

  /// As the public one, with a way of one's own to start a thread.
  init(threads wanted: Int, startThread: (@escaping @Sendable () -> Void) -> Bool) {
    let job = SharedJob()
    var threads = 1
    while threads < wanted, startThread({ job.work() }) { threads += 1 }
    self.threads = threads
    shared = job
  }

  deinit { shared.stop() }

  private static let sharedThreads = Atomic<Int>(0)

  /// Sets the number of threads of `shared`; has an effect only before its first use.
  public static func setSharedThreads(_ count: Int) { sharedThreads.store(count, ordering: .relaxed) }

  /// The pool of the process: as many threads as cores unless `setSharedThreads` said otherwise.
  public static let shared: ThreadPool = {
    let chosen = sharedThreads.load(ordering: .relaxed)
    return ThreadPool(threads: chosen > 0 ? chosen : ProcessInfo.processInfo.activeProcessorCount)
  }()

  /// Calls `body(0)` … `body(count - 1)`, in any order and at the same time; returns when all are done.
  /// Called from within a piece, or while another thread uses the pool, it does the pieces itself.
  public func run(_ count: Int, _ body: (Int) -> Void) {
    SingleThreadedGEMM.prepareThisThread()
    guard threads > 1, count > 1,
      shared.busy.compareExchange(
        expected: false, desired: true, ordering: .acquiring
      ).exchanged
    else {
      for index in 0..<count { body(index) }
      return
    }
    shared.perform(count, body)
    shared.busy.store(false, ordering: .releasing)
  }
}

extension ThreadPool {
  /// Cuts 0..<count into chunks of `size` (the last may be shorter): by the count alone, whatever the threads.
  func runChunks(of count: Int, size: Int, _ body: (Range<Int>) -> Void) {
    guard count > 0 else { return }
    if count <= size { return body(0..<count) }
    run((count + size - 1) / size) { chunk in body(chunk * size..<min(count, (chunk + 1) * size)) }
  }

  /// Cuts rows of `columns` scalars into chunks of about 16,000 scalars.
  func runRows(_ rows: Int, columns: Int, _ body: (Range<Int>) -> Void) {
    runChunks(of: rows, size: max(1, 16_384 / max(1, columns)), body)
  }

  /// Runs `body` on this thread with the same settings as a piece.
  func runHere(_ body: () -> Void) {
    SingleThreadedGEMM.prepareThisThread()
    body()
  }
}

/// The job under way and the threads' meeting point.
///
/// `@unchecked Sendable`: `body` and `count` are written while no worker is inside a job, and published by the
/// atomics `generation` and `running`.
private final class SharedJob: @unchecked Sendable {
  let busy = Atomic<Bool>(false)
  private let generation = Atomic<Int>(0)
  private let next = Atomic<Int>(0)
  /// Threads inside the job, that which has it done among them; 0 without a job.
  private let running = Atomic<Int>(0)
  /// Workers that take part in every job from now on.
  private let workers = Mutex<Int>(0)
  private let stopping = Atomic<Bool>(false)
  private let sleepers = NSCondition()
  private let asleep = Atomic<Int>(0)
  private var count = 0
  private var body: ((Int) -> Void)?

  /// How often a waiting thread looks before it sleeps: about 20 µs, longer than the gap between two kernels.
  private static let spins = 2_000

  func perform(_ count: Int, _ body: (Int) -> Void) {
    withoutActuallyEscaping(body) { escaping in
      self.body = escaping
      self.count = count
      next.store(0, ordering: .relaxed)
      workers.withLock { workers in
        running.store(workers + 1, ordering: .releasing)
        generation.add(1, ordering: .sequentiallyConsistent)
      }
      if asleep.load(ordering: .sequentiallyConsistent) > 0 {
        sleepers.lock()
        sleepers.broadcast()
        sleepers.unlock()
      }
      takePieces()
      running.subtract(1, ordering: .acquiringAndReleasing)
      // The workers are in their last pieces: wait for them here.
      var looks = 0
      while running.load(ordering: .acquiring) > 0 {
        looks += 1
        if looks > Self.spins { sched_yield() }
      }
      self.body = nil
    }
  }

  private func takePieces() {
    guard let body else { return }
    while true {
      let index = next.add(1, ordering: .relaxed).oldValue
      if index >= count { return }
      body(index)
    }
  }

  func work() {
    SingleThreadedGEMM.prepareThisThread()
    var (seen, isInJob) = join()
    while true {
      if isInJob {
        takePieces()
        running.subtract(1, ordering: .acquiringAndReleasing)
      }
      if stopping.load(ordering: .acquiring) { return }
      var looks = 0
      while generation.load(ordering: .acquiring) == seen {
        looks += 1
        if looks > Self.spins { sleep(unless: seen) }
      }
      seen += 1
      if stopping.load(ordering: .acquiring) { return }
      isInJob = true
    }
  }

  /// Makes the calling thread a worker: of the job under way, too, if it hasn't ended.
  private func join() -> (generation: Int, isInJob: Bool) {
    workers.withLock { workers in
      workers += 1
      var inside = running.load(ordering: .relaxed)
      while inside > 0 {
        let (exchanged, original) = running.compareExchange(
          expected: inside, desired: inside + 1, ordering: .acquiringAndReleasing)
        if exchanged { return (generation.load(ordering: .relaxed), true) }
        inside = original
      }
      return (generation.load(ordering: .acquiring), false)
    }
  }

  private func sleep(unless seen: Int) {
    sleepers.lock()
    asleep.add(1, ordering: .sequentiallyConsistent)
    while generation.load(ordering: .sequentiallyConsistent) == seen { sleepers.wait() }
    asleep.subtract(1, ordering: .sequentiallyConsistent)
    sleepers.unlock()
  }

  func stop() {
    stopping.store(true, ordering: .releasing)
    generation.add(1, ordering: .sequentiallyConsistent)
    sleepers.lock()
    sleepers.broadcast()
    sleepers.unlock()
  }
}
