/// What metrics sum of each caption that is held against references: scores of all captions, of each one, and intervals
/// come from it.
public struct CaptionStatistics: Sendable {
  /// All metrics that need nothing but captions, in the order in which they are told.
  public static let metrics: [any TextMetric.Type] = [BLEU.self, ROUGEL.self, CIDEr.self]

  /// The names of their scores, in that order.
  public static let names: [ScoreName] = metrics.flatMap { $0.names }
  /// Of each of them the score that stands for it.
  public static let headlines: [ScoreName] = metrics.map { $0.headline }

  /// Those and the ones that need data, whose scores are there where it was given; in the order in which they are told.
  private static let all: [any CaptionMetric.Type] = metrics + [METEOR.self]
  /// The names of all scores that there may be.
  public static let allNames: [ScoreName] = all.flatMap { $0.names }
  /// Of each metric that there may be the score that stands for it.
  public static let allHeadlines: [ScoreName] = all.map { $0.headline }

  /// How many captions there are.
  public let count: Int
  private let metrics: [any CaptionMetric.Type]
  /// [count · width].
  private let values: [Double]
  private let width: Int
  /// The words of each caption.
  private let candidates: [[String]]

  /// Holds each caption of `samples` against its references.
  /// - Parameter prepared: metrics that were made for these samples, told after the others.
  public init(
    _ samples: some Sequence<Sample>, by metrics: [any TextMetric.Type] = Self.metrics,
    and prepared: [any CaptionMetric] = []
  ) {
    let samples = CountedSamples(samples)
    let prepared: [any CaptionMetric] = metrics.map { $0.init(samples) } + prepared
    let metrics: [any CaptionMetric.Type] = prepared.map { type(of: $0) }
    width = metrics.reduce(0) { $0 + $1.width }
    var values: [Double] = []
    values.reserveCapacity(samples.count * width)
    for index in 0..<samples.count {
      let sample = samples[index]
      for metric in prepared { values += metric.statistics(of: sample) }
    }
    self.metrics = metrics
    self.values = values
    count = samples.count
    candidates = samples.samples.map { Sample.words(of: $0.candidate) }
  }

  /// The names of the scores.
  public var names: [ScoreName] { metrics.flatMap { $0.names } }

  /// The scores of all captions together, in the order of `names`.
  public var corpus: [Double] {
    var sums = [Double](repeating: 0, count: width)
    for row in 0..<count {
      for place in 0..<width { sums[place] += values[row * width + place] }
    }
    return scores(sums[...], images: count)
  }

  /// The scores of the caption at `index` alone, in the order of `names`.
  public func sample(_ index: Int) -> [Double] {
    scores(values[index * width..<(index + 1) * width], images: 1)
  }

  /// The score of each caption that has this name, [count]; the metric that gives it must be among those computed.
  public func perSample(_ name: ScoreName) -> [Double] {
    guard let place = names.firstIndex(of: name) else { preconditionFailure("no score \(name.key)") }
    return (0..<count).map { sample($0)[place] }
  }

  /// The intervals of `corpus`; none if there are no captions. What the references fixed, as CIDEr's document
  /// frequencies, stays.
  public func intervals(_ bootstrap: Bootstrap) -> [Bootstrap.Interval] {
    bootstrap.intervals(values, width: width) { scores(Array($0)[...], images: count) }
  }

  /// All metrics' scores, how different the captions are, and how long.
  /// - Parameter bootstrap: what the intervals come from; nil: there are none.
  public func scores(_ bootstrap: Bootstrap? = nil) -> Scores {
    var scores = Scores()
    for (name, value) in zip(names, corpus) { scores[name] = value }
    if let bootstrap {
      for (name, interval) in zip(names, intervals(bootstrap)) { scores[intervalOf: name] = interval }
    }
    scores[.images] = Double(count)
    scores[.distinct] = distinctShare(candidates)
    scores[.distinctWords] = distinctNGramShare(candidates, 1)
    scores[.distinctPairs] = distinctNGramShare(candidates, 2)
    let lengths = CaptionLengths(candidates)
    scores[.meanLength] = lengths.mean
    scores[.lengthDeviation] = lengths.standardDeviation
    scores[.medianLength] = lengths.median
    scores[.shortestLength] = Double(lengths.shortest)
    scores[.longestLength] = Double(lengths.longest)
    return scores
  }

  /// The scores of captions whose statistics add up to `sums`.
  private func scores(_ sums: ArraySlice<Double>, images: Int) -> [Double] {
    var rest = sums
    return metrics.flatMap { metric in
      let own = Array(rest.prefix(metric.width))
      rest = rest.dropFirst(metric.width)
      return metric.scores(own, images: images)
    }
  }
}
