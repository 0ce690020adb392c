internal import Support

/// Confidence intervals by resampling (percentile bootstrap: Efron & Tibshirani 1993): images are drawn with
/// replacement, as many as there are, again and again, and the scores' quantiles over these sets are the ends.
public struct Bootstrap: Sendable, Equatable {
  /// Where a score would lie for other images of the same kind.
  public struct Interval: Sendable, Equatable {
    /// Its ends.
    public let low, high: Double

    /// An interval.
    public init(low: Double, high: Double) { (self.low, self.high) = (low, high) }
  }

  /// How often a set is drawn.
  public let resamples: Int
  /// The share of the drawn sets whose scores are inside, 0…1.
  public let level: Double
  /// The same seed gives the same intervals.
  public let seed: UInt64

  /// At least one resample; a level between 0 and 1.
  public init(resamples: Int = 1000, level: Double = 0.95, seed: UInt64 = 1) {
    precondition(resamples > 0 && level >= 0 && level <= 1)
    self.resamples = resamples
    self.level = level
    self.seed = seed
  }

  /// The intervals of scores that depend on images through sums only; none if there are no images.
  /// - Parameters:
  ///   - statistics: what is summed, [N · width], image after image; finite.
  ///   - width: the number of sums.
  ///   - scores: the scores of N images whose sums are given.
  public func intervals(
    _ statistics: [Double], width: Int, scores: (_ sums: UnsafeBufferPointer<Double>) -> [Double]
  ) -> [Interval] {
    precondition(width > 0 && statistics.count.isMultiple(of: width))
    let images = statistics.count / width
    guard images > 0 else { return [] }
    var values: [[Double]] = []
    var sums = [Double](repeating: 0, count: width)
    for resample in 0..<resamples {
      var random = Random(seed: seed, stream: UInt64(resample))
      for place in sums.indices { sums[place] = 0 }
      sums.withUnsafeMutableBufferPointer { sums in
        statistics.withUnsafeBufferPointer { statistics in
          for _ in 0..<images {
            let row = Self.index(below: images, using: &random) * width
            for place in 0..<width { sums[place] += statistics[row + place] }
          }
        }
      }
      let drawn = sums.withUnsafeBufferPointer(scores)
      if values.isEmpty { values = drawn.map { _ in [] } }
      for (place, value) in drawn.enumerated() { values[place].append(value) }
    }
    return values.map { values in
      let sorted = values.sorted()
      return Interval(
        low: sorted.quantileOfSorted((1 - level) / 2), high: sorted.quantileOfSorted((1 + level) / 2))
    }
  }

  /// A place among `count`.
  static func index(below count: Int, using random: inout Random) -> Int {
    Int(truncatingIfNeeded: random.next().multipliedFullWidth(by: UInt64(count)).high)
  }
}
