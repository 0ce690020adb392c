internal import Models
internal import Decoding
internal import Dispatch
internal import Imaging
internal import Kernels
internal import Support
internal import Synchronization

/// A photo's file and what became of it.
public struct CaptionedFile: Sendable {
  /// The file, as it was given.
  public let path: String
  /// Its captions, the best first; or why it can't be read, an `ImageError`.
  public let captions: Result<[Caption], any Error>
}

/// The captions of many files, made as they are asked for: see ``Captioner/captions(ofFiles:_:)``.
public struct CaptionedFiles: AsyncSequence, Sendable {
  let model: String
  let arithmetic: Arithmetic
  let reader: ImageReader
  let paths: [String]
  let strategy: DecodingStrategy

  /// Loads the model once more and begins: readers of several sequences do not wait for each other.
  public func makeAsyncIterator() -> Iterator {
    let work = Work()
    let (stream, continuation) = AsyncThrowingStream.makeStream(of: CaptionedFile.self)
    continuation.onTermination = { _ in work.stop() }
    let own = self
    let body: @Sendable () -> Void = {
      do {
        try own.run(work) { continuation.yield($0) }
        continuation.finish()
      } catch {
        continuation.finish(throwing: error)
      }
    }
    // Without a thread of its own it is done on one that waits for work.
    if !startThread(body) { DispatchQueue.global().async(execute: body) }
    return Iterator(results: stream.makeAsyncIterator(), work: work)
  }

  private func run(_ work: Work, found: (CaptionedFile) -> Void) throws {
    let model = try CaptionModel(
      contentsOf: model, caching: paths.count < VGGEncoder.batchSize ? .streamed : .resident,
      arithmetic: arithmetic)
    model.encoder.reader = reader
    do {
      try model.caption(paths) { maps, places in
        // An image's random numbers are named by its place.
        model.captions(maps, strategy, streams: places.map { UInt64($0) })
      } found: { place, result in
        guard work.mayGoOn() else { throw CancellationError() }
        found(
          CaptionedFile(
            path: paths[place],
            captions: result.map { $0.map { Caption($0) } }.mapError { $0 as any Error }))
      }
    } catch is CancellationError {}
  }

  /// Gives one file after the other.
  public struct Iterator: AsyncIteratorProtocol {
    fileprivate var results: AsyncThrowingStream<CaptionedFile, any Error>.Iterator
    fileprivate let work: Work

    /// The next file; nil after the last, and when the task was cancelled.
    /// - Throws: `ModelError` when the model can't be loaded or gives no numbers.
    public mutating func next() async throws -> CaptionedFile? {
      work.take()
      return try await results.next()
    }
  }
}

/// How far the thread that captions may be ahead of the reader, and whether there still is one.
private final class Work: Sendable {
  /// Results that may wait to be taken: two groups of the search.
  private static let ahead = 128
  private let room: DispatchSemaphore
  private let isStopped = Atomic<Bool>(false)

  init() {
    // From 0: a semaphore may not end below what it began with.
    room = DispatchSemaphore(value: 0)
    for _ in 0..<Self.ahead { room.signal() }
  }

  /// Waits for room; false when nobody reads any more.
  func mayGoOn() -> Bool {
    room.wait()
    return !isStopped.load(ordering: .relaxed)
  }

  func take() { room.signal() }

  func stop() {
    isStopped.store(true, ordering: .relaxed)
    room.signal()
  }
}
