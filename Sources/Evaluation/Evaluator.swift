internal import Models
public import Decoding
public import Language
public import CaptionMetrics

/// Captions images and scores captions and model against the references: for `captioner evaluate`, and after each epoch
/// of training.
public struct Evaluator<Model: EvaluatedModel> {
  /// What is evaluated.
  public let model: Model
  /// The images that the model is asked about, [N].
  public let images: [EvaluatedImage]
  private let together: Batches
  private let tokens: (Caption) -> [String]

  /// How many images are taken together: searches are faster the more there are, while scoring keeps much of each word.
  public struct Batches: Sendable {
    let captioned, scored: Int

    /// - Parameters:
    ///   - captioned: images captioned together, a multiple of `scored`.
    ///   - scored: images whose references are scored together.
    public init(captioned: Int = 1000, scored: Int = 100) {
      precondition(scored > 0 && captioned.isMultiple(of: scored))
      self.captioned = captioned
      self.scored = scored
    }
  }

  /// An evaluator of a model on images with references.
  /// - Parameters:
  ///   - images: those that the model is asked about; at least one.
  ///   - tokens: a caption's words for the metrics; as pycocoevalcap's tokenizer reads its text unless given.
  public init(
    _ model: Model, _ images: [EvaluatedImage], together: Batches = Batches(),
    tokens: @escaping (Caption) -> [String] = { Tokenizer().wholeTokens(Tokenizer.composed($0.text)) }
  ) {
    precondition(!images.isEmpty)
    self.model = model
    self.images = images
    self.together = together
    self.tokens = tokens
  }

  /// Captions the images and scores captions and references.
  /// - Parameters:
  ///   - bootstrap: what the scores' intervals come from; nil: there are none.
  ///   - progress: called with the number of images done.
  public func evaluate(
    _ strategy: DecodingStrategy, bootstrap: Bootstrap? = Bootstrap(), progress: (Int) -> Void = { _ in }
  ) -> Evaluation {
    var captions: [[Caption]] = []
    var scored: [[Caption]] = []
    var likelihood = Likelihood()
    for range in batches(of: together.scored) {
      if range.lowerBound == captions.count {
        captions += self.captions(
          range.lowerBound..<min(images.count, range.lowerBound + together.captioned), strategy)
      }
      let encoded = range.map { images[$0].encoded }
      let all = encoded.flatMap(\.self)
      let rows = encoded.enumerated().flatMap { row, captions in captions.map { _ in row } }
      var found = model.scores(of: all, rows: rows, images: Array(range))[...]
      for caption in found { likelihood.add(caption) }
      for captions in encoded {
        scored.append(Array(found.prefix(captions.count)))
        found = found.dropFirst(captions.count)
      }
      // Each image becomes another: half the set away.
      let others = range.map { ($0 + max(1, images.count / 2)) % images.count }
      for caption in model.scores(of: all, rows: rows, images: others) { likelihood.add(mismatched: caption) }
      progress(range.upperBound)
    }
    let statistics = self.statistics(captions)
    let rows = images.indices.map { index in
      var own = Scores()
      for (name, value) in zip(statistics.names, statistics.sample(index)) { own[name] = value }
      return Evaluation.Row(
        image: images[index], captions: captions[index], scoredReferences: scored[index], scores: own)
    }
    var scores = statistics.scores(bootstrap)
    scores.add(captions.map { $0[0] })
    scores.add(likelihood)
    return Evaluation(scores: scores, rows: rows)
  }

  /// Captions the images in several ways, without scoring the references.
  /// - Parameter progress: called with the number of images done of `points.count` times all.
  public func sweep(_ points: [BeamOptions], progress: (Int) -> Void) -> [SweepPoint] {
    points.enumerated().map { index, options in
      var captions: [[Caption]] = []
      let time = ContinuousClock().measure {
        for range in batches(of: together.captioned) {
          captions += self.captions(range, .beam(options))
          progress(index * images.count + range.upperBound)
        }
      }
      var scores = statistics(captions).scores()
      scores.add(captions.map { $0[0] })
      return SweepPoint(options: options, scores: scores, seconds: time / .seconds(1))
    }
  }

  private func captions(_ range: Range<Int>, _ strategy: DecodingStrategy) -> [[Caption]] {
    model.captions(
      of: Array(range), strategy, streams: range.map { UInt64(bitPattern: Int64(images[$0].id)) })
  }

  private func batches(of count: Int) -> [Range<Int>] {
    stride(from: 0, to: images.count, by: count).map { $0..<min(images.count, $0 + count) }
  }

  /// The best captions against their references.
  private func statistics(_ captions: [[Caption]]) -> CaptionStatistics {
    CaptionStatistics(
      zip(captions, images).map { Sample(candidate: tokens($0[0]), references: $1.tokens) })
  }
}

extension Evaluator where Model == LoadedModel {
  /// Retrieval among the first images and all their references.
  /// - Parameters:
  ///   - count: how many images; at most all are taken.
  ///   - progress: called with the number of images done.
  public func retrieval(images count: Int, progress: (Int) -> Void) -> Retrieval {
    let count = min(max(1, count), images.count)
    let captions = images[..<count].flatMap(\.encoded)
    let owners = images[..<count].enumerated().flatMap { row, image in image.encoded.map { _ in row } }
    let logProbs = model.captioner.logProbs(
      ofAll: captions, maps: model.maps.copied(rows: Array(0..<count)), progress: progress)
    return Retrieval(logProbs, owners: owners, words: captions.map { $0.count + 1 })
  }
}
