internal import CoreMetrics
internal import Decoding
internal import Imaging
internal import Kernels
internal import Language
internal import Models
internal import Requests
internal import Support
internal import Synchronization
internal import Tensors

/// Answers questions about photos, many at a time: threads of its own decode, one more has the network work on what is
/// decoded, in batches. Those who ask wait without a thread.
final class CaptionEngine: Sendable {
  private let options: ServiceOptions
  private let current: Mutex<ServedModel>
  private let undecoded = WorkQueue<PhotoWork>()
  private let decoded = WorkQueue<DecodedPhoto>()
  private let count = Mutex(0)
  private let metrics: ServiceMetrics

  /// Loads the model and starts the threads.
  /// - Throws: `ModelError`; `ServiceError` when the system gives no thread.
  init(_ options: ServiceOptions, _ metrics: ServiceMetrics) throws {
    self.options = options
    self.metrics = metrics
    current = Mutex(try ServedModel(contentsOf: options.model, arithmetic: options.arithmetic))
    let network = startThread { [self] in
      // Who asks for one photo after the other does not wait for company.
      var isAlone = false
      while let batch = decoded.take(
        upTo: options.batchSize, delay: isAlone ? .zero : options.batchDelay)
      {
        answer(batch)
        isAlone = batch.count == 1 && count.withLock { $0 } == 0
      }
    }
    var decoders = 0
    for _ in 0..<ThreadPool.shared.threads {
      let started = startThread { [self] in
        while let work = undecoded.take(upTo: 1) { decode(work[0]) }
      }
      if started { decoders += 1 }
    }
    guard network, decoders > 0 else {
      stop()
      throw ServiceError(description: "the system gives no thread: expected at least 2")
    }
  }

  /// The model that new questions go to.
  var model: ServedModel { current.withLock { $0 } }

  /// Takes the model's file again; if it is bad, the model stays.
  /// - Throws: `ModelError`.
  func reload() throws(ModelError) {
    let new = try ServedModel(contentsOf: options.model, arithmetic: options.arithmetic)
    current.withLock { $0 = new }
  }

  /// Lets the threads go when what was asked is answered.
  func stop() {
    undecoded.close()
    decoded.close()
  }

  /// Asks about photos: an answer each, or what is wrong with its file.
  /// - Parameter question: what is asked about the photo at a place.
  /// - Throws: `Problem` when there are too many, or no answer in time.
  func answers(
    _ photos: [PhotoFile], of model: ServedModel, _ question: (Int) -> PhotoQuestion
  ) async throws -> [Result<PhotoAnswer, ImageError>] {
    let work = photos.enumerated().map { place, file in
      PhotoWork(file: file, question: question(place), model: model, ticket: Ticket())
    }
    try enter(work.count)
    for work in work { undecoded.add(work) }
    return try await withTimeout(options.timeout, .timedOut(options.timeout)) {
      var answers: [Result<PhotoAnswer, ImageError>] = []
      // All are awaited, or let go, whichever fails first.
      defer { for work in work { work.ticket.settle(.failure(CancellationError())) } }
      for work in work { answers.append(try await work.ticket.value()) }
      return answers
    }
  }

  private func enter(_ photos: Int) throws(Problem) {
    let (isFree, waiting) = count.withLock { count in
      let isFree = count + photos <= options.queue
      if isFree { count += photos }
      return (isFree, count)
    }
    metrics.waiting.record(waiting)
    guard isFree else { throw .full }
  }

  private func leave(_ work: PhotoWork, _ result: Result<Result<PhotoAnswer, ImageError>, any Error>) {
    metrics.count(result)
    let waiting = count.withLock { count in
      count -= 1
      return count
    }
    metrics.waiting.record(waiting)
    work.ticket.settle(result)
  }

  private func decode(_ work: PhotoWork) {
    guard !work.ticket.isSettled else { return leave(work, .failure(CancellationError())) }
    let start = ContinuousClock.now
    do throws(ImageError) {
      let image = try options.reader.fitted(
        decoding: work.file.bytes, name: work.file.name, to: work.model.description.preprocessing
      ).image
      metrics.decoding.record(ContinuousClock.now - start)
      decoded.add(DecodedPhoto(image: image, work: work))
    } catch {
      leave(work, .success(.failure(error)))
    }
  }

  /// Answers a batch; photos of different models, while one takes the place of another, one model after the other.
  private func answer(_ batch: [DecodedPhoto]) {
    var rest = batch.filter { photo in
      guard photo.work.ticket.isSettled else { return true }
      leave(photo.work, .failure(CancellationError()))
      return false
    }
    while let model = rest.first?.work.model {
      let photos = rest.filter { $0.work.model === model }
      rest.removeAll { $0.work.model === model }
      // What takes long comes last, so that nobody waits for it.
      answer(photos.filter { !$0.work.question.explains }, with: model)
      for photo in photos where photo.work.question.explains { answer([photo], with: model) }
    }
  }

  private func answer(_ photos: [DecodedPhoto], with model: ServedModel) {
    guard !photos.isEmpty else { return }
    metrics.batches.record(photos.count)
    do {
      let answers = try model.with { try $0.answers(photos, metrics) }
      for (photo, answer) in zip(photos, answers) { leave(photo.work, .success(.success(answer))) }
    } catch {
      for photo in photos { leave(photo.work, .failure(Problem.failed("\(error)"))) }
    }
  }
}

extension CaptionModel {
  /// Answers to the questions about photos.
  /// - Throws: `ModelError`.
  fileprivate func answers(
    _ photos: [DecodedPhoto], _ metrics: ServiceMetrics
  ) throws(ModelError) -> [PhotoAnswer] {
    let loader = ImageLoader(description.preprocessing)
    var start = ContinuousClock.now
    let maps = try maps(loader.input(photos.map(\.image)))
    metrics.network.record(ContinuousClock.now - start)
    start = ContinuousClock.now
    var answers = [PhotoAnswer?](repeating: nil, count: photos.count)
    for place in photos.indices where answers[place] == nil {
      switch photos[place].work.question {
      case .captions(let strategy, _, _):
        // All that are searched in the same way at once.
        var (rows, streams): ([Int], [UInt64]) = ([], [])
        for (row, photo) in photos.enumerated() {
          if case .captions(strategy, let stream, _) = photo.work.question {
            rows.append(row)
            streams.append(stream)
          }
        }
        let captions = captions(maps.copied(rows: rows), strategy, streams: streams)
        for (row, captions) in zip(rows, captions) { answers[row] = PhotoAnswer(captions: captions) }
      case .scores(let words, let runnersUp):
        let captions = scores(
          of: words, rows: words.map { _ in 0 }, maps: maps.copied(rows: [place]), runnersUp: runnersUp)
        answers[place] = PhotoAnswer(captions: captions)
      }
    }
    metrics.search.record(ContinuousClock.now - start)
    for (place, photo) in photos.enumerated() {
      guard case .captions(_, _, explains: true) = photo.work.question,
        let best = answers[place]?.captions.first
      else { continue }
      answers[place]?.explanation = try explanation(of: words(of: best), loader.input([photo.image]))
    }
    // Else they might be of mixed weights.
    try checkUnchanged()
    return answers.map { $0 ?? PhotoAnswer(captions: []) }
  }
}
